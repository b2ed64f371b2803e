"""Faults of the truth: corrections, busts, commissions, refusals, orders by hand, silent moves, the clock."""

from datetime import timedelta
from decimal import Decimal

from simulation.broker.conduct import Refusal
from simulation.faults.fault import Fault, Group, truth_switch
from simulation.faults.language import Values
from simulation.faults.stage import Stage

NOTHING = timedelta()
REJECT_JSON = '{"10348":{"text":"The order was rejected by a price management check.","isBlocking":true}}'


def _seconds(values: Values) -> timedelta:
    return timedelta(seconds=values["seconds"])


def _correct_quantity(stage: Stage, values: Values) -> None:
    quantity = Decimal(values["quantity"])
    stage.tell(stage.broker.correct(stage.last_execution(), quantity=quantity, now=stage.at))


def _correct_price(stage: Stage, values: Values) -> None:
    stage.tell(stage.broker.correct(stage.last_execution(), price=values["price"], now=stage.at))


def _correct_by(stage: Stage, values: Values) -> None:
    exec_id = stage.last_execution()
    trade, _ = stage.broker.executed.find(exec_id)
    price = max(trade.last.price + values["change"], Decimal("0.01"))
    stage.tell(stage.broker.correct(exec_id, price=price, now=stage.at))


def _bust(stage: Stage, values: Values) -> None:
    stage.tell(stage.broker.bust(stage.last_execution(), stage.at))


def _reject(stage: Stage, refusal: Refusal) -> None:
    stage.behave(next_rejections=[*stage.conduct.next_rejections, refusal])


def _reject_plain(stage: Stage, values: Values) -> None:
    text = "Order rejected - reason:The exchange does not accept the order."
    _reject(stage, Refusal(code=201, text=text))


def _reject_with_json(stage: Stage, values: Values) -> None:
    _reject(stage, Refusal(code=201, text="Order rejected - reason:", reject_json=REJECT_JSON))


def _reject_with_code(stage: Stage, values: Values) -> None:
    _reject(stage, Refusal(code=values["code"], text=values["text"]))


def _error_next(stage: Stage, values: Values) -> None:
    notice = Refusal(code=values["code"], text="An error that names a live order.")
    stage.behave(next_notices=[*stage.conduct.next_notices, notice])


def _error_last(stage: Stage, values: Values) -> None:
    client_id, order_id = stage.last_order()
    stage.server.order_error(client_id, order_id, values["code"], "An error that names a live order.")


def _cancel_last(stage: Stage, values: Values) -> None:
    client_id, order_id = stage.last_order()
    stage.tell(stage.broker.cancel(client_id, order_id, stage.at))


def _by_hand(stage: Stage, values: Values) -> None:
    listed = stage.broker.world.listings.by_conid.values()
    name = values["symbol"]
    conids = [item.conid for item in listed if name in (str(item.conid), item.symbol.replace(" ", ""))]
    if not conids:
        raise ValueError(f"symbol: expected a listed contract's symbol or id, was {name}")
    quantity = Decimal(values["quantity"])
    account = stage.account()
    stage.tell(stage.broker.place_by_hand(account, conids[0], values["side"], quantity, stage.at))


def _move_silently(stage: Stage, values: Values) -> None:
    account = stage.account()
    conid = stage.held_option(account).conid
    stage.tell(stage.broker.move_position_silently(account, conid, None, stage.at))


def _skew(stage: Stage, values: Values) -> None:
    stage.clock.skew = timedelta(seconds=float(values["change"]))


def _no_skew(stage: Stage, values: Values) -> None:
    stage.clock.skew = NOTHING


def _jump(stage: Stage, values: Values) -> None:
    stage.clock.advance(_seconds(values))


EXECUTIONS = (
    Fault(
        words="correct last execution quantity <quantity>",
        group=Group.EXECUTIONS,
        says="The newest execution is printed again with another quantity, one revision higher.",
        act=_correct_quantity,
        drawn="correct last execution quantity 1",
    ),
    Fault(
        words="correct last execution price <price>",
        group=Group.EXECUTIONS,
        says="The newest execution is printed again with another price.",
        act=_correct_price,
    ),
    Fault(
        words="correct last execution by <change>",
        group=Group.EXECUTIONS,
        says="The newest execution is printed again at a price that differs by so much.",
        act=_correct_by,
        drawn="correct last execution by 0.01",
    ),
    Fault(
        words="bust last execution",
        group=Group.EXECUTIONS,
        says="The newest execution is taken back; positions and the statement say so, the API does not.",
        act=_bust,
        drawn="bust last execution",
    ),
    truth_switch(
        "executions before open orders",
        Group.EXECUTIONS,
        "An execution is told before the order's opening.",
        "execution_first",
        drawn="executions before open orders",
    ),
    truth_switch(
        "statuses before executions",
        Group.EXECUTIONS,
        "Filled is told before the execution that filled it.",
        "filled_first",
        drawn="statuses before executions",
    ),
    truth_switch(
        "wrong cumulative <change>",
        Group.EXECUTIONS,
        "Executions say that so much more was filled so far.",
        "cumulative_off",
        lambda values: values["change"],
        off=Decimal(0),
        drawn="wrong cumulative 2",
    ),
)
COMMISSIONS = (
    truth_switch(
        "delay commissions <seconds> s",
        Group.COMMISSIONS,
        "Reports come so much later, in the executions answer too.",
        "commission_delay",
        _seconds,
        off=NOTHING,
        drawn="delay commissions 120 s",
    ),
    truth_switch(
        "no commissions",
        Group.COMMISSIONS,
        "What is executed now never gets a report; only the statement has the fee.",
        "commission_never",
        drawn="no commissions",
    ),
    truth_switch(
        "pay rebates",
        Group.COMMISSIONS,
        "Every option execution adds liquidity: fees are negative.",
        "commission_rebate",
        drawn="pay rebates",
    ),
    truth_switch(
        "unset realized profit",
        Group.COMMISSIONS,
        "Reports of closings lack their profit.",
        "realized_unset",
        drawn="unset realized profit",
    ),
)
ORDERS = (
    Fault(
        words="reject next order",
        group=Group.ORDERS,
        says="The next order is rejected with 201.",
        act=_reject_plain,
        drawn="reject next order",
    ),
    Fault(
        words="reject next order with json",
        group=Group.ORDERS,
        says="The next order is rejected with 201 and the advanced reject JSON.",
        act=_reject_with_json,
        drawn="reject next order with json",
    ),
    Fault(
        words="reject next order code <code> <text>",
        group=Group.ORDERS,
        says="The next order is rejected with any code and words.",
        act=_reject_with_code,
    ),
    Fault(
        words="error <code> on next order",
        group=Group.ORDERS,
        says="An error that names the next order, which works on.",
        act=_error_next,
        drawn="error 2109 on next order",
    ),
    Fault(
        words="error <code> on last order",
        group=Group.ORDERS,
        says="An error that names the newest live order, which works on.",
        act=_error_last,
    ),
    truth_switch(
        "cancels take <seconds> s",
        Group.ORDERS,
        "A cancel is pending so long, and a fill may win the race.",
        "cancel_takes",
        _seconds,
        off=NOTHING,
        drawn="cancels take 20 s",
    ),
    Fault(
        words="cancel last order",
        group=Group.ORDERS,
        says="The newest live order is cancelled at the broker, perhaps after a part was filled.",
        act=_cancel_last,
    ),
    Fault(
        words="place by hand <side> <quantity> <symbol>",
        group=Group.ORDERS,
        says="An order typed into the broker's own program: client 0, no reference.",
        act=_by_hand,
        drawn="place by hand BUY 100 IWM",
    ),
    truth_switch(
        "unset margins",
        Group.ORDERS,
        "What-if answers lack all their numbers.",
        "what_if_unset",
        drawn="unset margins",
    ),
)
LIFE = (
    truth_switch(
        "statement cash off by <change>",
        Group.LIFE,
        "Statements written now end with so many dollars too many.",
        "statement_cash_off",
        lambda values: values["change"],
        off=Decimal(0),
    ),
    truth_switch(
        "statement omits last trade",
        Group.LIFE,
        "Statements written now lack the session's last trade.",
        "statement_omits_last",
    ),
    Fault(
        words="assign held option",
        group=Group.LIFE,
        says="The first held option is exercised or assigned now: positions change without an execution.",
        act=_move_silently,
    ),
)
CLOCK = (
    Fault(
        words="skew clock <change> s",
        group=Group.CLOCK,
        says="The gateway's clock tells a time that is off by so much.",
        act=_skew,
        undo=_no_skew,
        drawn="skew clock 45 s",
    ),
    Fault(
        words="jump clock <seconds> s",
        group=Group.CLOCK,
        says="The world goes on so much later.",
        act=_jump,
    ),
    Fault(
        words="freeze clock",
        group=Group.CLOCK,
        says="The world stands still.",
        act=lambda stage, values: stage.clock.freeze(stage.at),
        undo=lambda stage, values: stage.clock.thaw(),
    ),
    Fault(
        words="thaw clock",
        group=Group.CLOCK,
        says="The world goes on.",
        act=lambda stage, values: stage.clock.thaw(),
    ),
    Fault(
        words="speed <count>",
        group=Group.CLOCK,
        says="So many simulated seconds go by in a second.",
        act=lambda stage, values: stage.clock.set_speed(float(values["count"])),
    ),
)
TRUTH_FAULTS: tuple[Fault, ...] = (*EXECUTIONS, *COMMISSIONS, *ORDERS, *LIFE, *CLOCK)
