"""Orders on command: what may be placed, what happens once, what is in doubt and how the doubt ends."""

import dataclasses
from collections.abc import Callable, Coroutine
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from gateway_client import gateway, run, until
from session_desk import VALID_S, Outcome, SessionDesk, broker_settings, place, session_desk
from small_broker import ACCOUNT, OPTION, SHARE, SmallBroker, hand_clock

from adapters.clock import SystemClock
from adapters.ibkr.session.context import NUMBER_MAX
from adapters.ibkr.session.session import BrokerSession
from adapters.memory.broker_commands import MemoryCommandQueue, MemoryCommands
from simulation.broker.model import BrokerSays, OrderTold, Refused, Status, Ticket
from simulation.tws.server import GatewayServer
from trading.model.broker import BrokerEventKind, Verb

FAST = {"reconnect_first_s": 0.05, "reconnect_max_s": 0.2, "order_timeout_s": 0.3, "quiet_period_s": 0.3}
Scenario = Callable[[GatewayServer, SmallBroker, SessionDesk], Coroutine[Any, Any, None]]


class DeafBroker(SmallBroker):
    """Does as it is told on `mode`: orders get lost, are taken without a word, refused, or work on."""

    mode = ""
    code = 201

    def __init__(self) -> None:
        super().__init__()
        self.untransmitted: list[Ticket] = []

    def place(self, ticket: Ticket, now: Any) -> list[BrokerSays]:
        if self.mode == "lost":
            return []
        if not ticket.transmit:
            self.untransmitted.append(ticket)
            return []
        if self.untransmitted:
            family, self.untransmitted = [*self.untransmitted, ticket], []
            return [said for member in family for said in super(DeafBroker, self).place(member, now)]
        if self.mode == "refused":
            return [Refused(client_id=ticket.client_id, order_id=ticket.order_id, code=self.code, text="no")]
        known = next(
            (perm for perm, order in self.orders.items() if order.ticket.order_id == ticket.order_id), None
        )
        if known is not None:
            self.orders[known] = dataclasses.replace(self.orders[known], ticket=ticket)
            return [OrderTold(order=self.orders[known])]
        told = super().place(ticket, now)
        return [] if self.mode == "silent" else told

    def cancel(self, client_id: int, order_id: int, now: Any) -> list[BrokerSays]:
        return [] if self.mode == "silent" else super().cancel(client_id, order_id, now)


def played(scenario: Scenario, **changes: Any) -> None:
    """Run a scenario with a ready session on a gateway in front of a broker that misbehaves on demand."""

    async def play() -> None:
        broker = DeafBroker()
        async with (
            gateway(broker, hand_clock(), accounts=(ACCOUNT,)) as server,
            session_desk(broker_settings(server.port, **{**FAST, **changes})) as desk,
        ):
            await desk.ready()
            await scenario(server, broker, desk)

    run(play())


def limit(order_ref: str, **changes: Any) -> dict[str, Any]:
    """A limit order that waits."""
    return place(order_ref, OPTION.conid, ACCOUNT, order_type="LMT", limit_price="0.5", **changes)


def refs(broker: SmallBroker) -> list[str]:
    """The order_refs of everything that reached the broker."""
    return [order.ticket.order_ref for order in broker.orders.values()]


@pytest.mark.parametrize(
    "changes",
    [{"sec_type": "STK"}, {"instrument_id": "STK:756733"}, {"conid": SHARE.conid}, {"sec_type": "BAG"}],
    ids=["by type", "by name", "by the broker's word", "a combination"],
)
def test_an_order_for_a_share_is_refused(changes: dict[str, Any]) -> None:
    """Neither a share's type nor its name passes, nor its number under an option's type."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        result = await desk.do(Verb.PLACE, place("s", OPTION.conid, ACCOUNT) | changes)
        assert result.outcome is Outcome.REFUSED
        assert not broker.orders

    played(scenario)


def test_the_same_order_ref_is_never_sent_twice() -> None:
    """Another command with it is refused while the order works, and when it is over."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        first = await desk.do(Verb.PLACE, limit("r"))
        assert first.outcome is Outcome.DONE
        assert (await desk.do(Verb.PLACE, limit("r"))).outcome is Outcome.REFUSED
        await desk.do(Verb.CANCEL, {"order_ref": "r"})
        again = await desk.do(Verb.PLACE, limit("r"))
        assert again.outcome is Outcome.REFUSED and "order_ref" in again.reason
        assert refs(broker) == ["r"]

    played(scenario)


class GenerousQueue(MemoryCommandQueue):
    """A queue that has forgotten every claim."""

    def claim_order_ref(self, order_ref: str, command_id: str) -> str:
        return command_id


def test_the_session_itself_remembers_what_it_sent() -> None:
    """Also where the queue grants every claim and the broker tells nothing: the guards are independent."""

    async def play() -> None:
        broker, state = DeafBroker(), MemoryCommands()
        broker.mode = "lost"
        async with (
            gateway(broker, hand_clock(), accounts=(ACCOUNT,)) as server,
            session_desk(
                broker_settings(server.port, **FAST), state=state, commands=GenerousQueue(state)
            ) as desk,
        ):
            await desk.ready()
            await desk.do(Verb.PLACE, limit("r"))
            broker.mode = ""
            again = await desk.do(Verb.PLACE, limit("r"))
            assert again.outcome is Outcome.REFUSED and "was used before" in again.reason
        assert not broker.orders

    run(play())


def test_an_order_ref_that_the_broker_knows_from_before_is_refused() -> None:
    """A session that starts anew learns from open orders and executions what was sent before it."""

    async def play() -> None:
        broker = SmallBroker()
        async with gateway(broker, hand_clock(), accounts=(ACCOUNT,)) as server:
            for order_type in ({}, {"order_type": "LMT", "limit_price": "0.5"}):
                async with session_desk(broker_settings(server.port, **FAST)) as desk:
                    await desk.ready()
                    name = f"before {len(order_type)}"
                    result = await desk.do(Verb.PLACE, place(name, OPTION.conid, ACCOUNT, **order_type))
                    assert result.outcome is Outcome.DONE
                async with session_desk(broker_settings(server.port, **FAST)) as desk:
                    await desk.ready()
                    result = await desk.do(Verb.PLACE, place(name, OPTION.conid, ACCOUNT, **order_type))
                    assert result.outcome is Outcome.REFUSED, result
        assert len(broker.orders) == 2

    run(play())


def test_an_order_ref_is_spent_also_when_the_broker_has_forgotten_it() -> None:
    """A later session, to which the broker tells nothing of it, refuses another command with it."""

    async def play() -> None:
        broker, state = SmallBroker(), MemoryCommands()
        async with gateway(broker, hand_clock(), accounts=(ACCOUNT,)) as server:
            for command_id, outcome in (("c-first", Outcome.DONE), ("c-second", Outcome.REFUSED)):
                async with session_desk(broker_settings(server.port, **FAST), state=state) as desk:
                    await desk.ready()
                    order = place("old", OPTION.conid, ACCOUNT)
                    result = await desk.do(Verb.PLACE, order, command_id=command_id)
                    assert result.outcome is outcome, result
                broker.orders.clear()
                broker.told.clear()

    run(play())


def test_a_repeated_command_is_answered_and_not_done_again() -> None:
    """The same command id, delivered again by the queue, has the same result."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        first = await desk.do(Verb.PLACE, limit("r"), command_id="same")
        desk.deliver_again("same", Verb.PLACE, limit("r"))
        await until(lambda: not desk.waiting(), "the repeat to be finished")
        assert desk.queue.result("same") == first
        assert refs(broker) == ["r"]

    played(scenario)


def test_a_command_that_comes_late_is_refused() -> None:
    """After valid_until nothing is sent."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        past = SystemClock().now() - timedelta(seconds=1)
        for verb, payload in ((Verb.PLACE, limit("r")), (Verb.SWEEP, {}), (Verb.CANCEL, {"order_ref": "x"})):
            result = await desk.do(verb, payload, valid_until=past)
            assert result.outcome is Outcome.REFUSED and "too late" in result.reason
        assert not broker.orders

    played(scenario)


def test_a_paused_sender_cannot_act_after_its_successor() -> None:
    """A lower fencing number than the sender's last is refused; another sender's number is its own."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        assert (await desk.do(Verb.PLACE, limit("a"), fencing=7)).outcome is Outcome.DONE
        desk.deliver_again("old", Verb.PLACE, limit("b"), fencing=6)
        await until(lambda: desk.queue.result("old") is not None, "the refusal")
        stale = desk.queue.result("old")
        assert stale is not None and stale.outcome is Outcome.REFUSED and "fencing" in stale.reason
        assert (await desk.do(Verb.PLACE, limit("c"), fencing=1, sender="other")).outcome is Outcome.DONE
        assert refs(broker) == ["a", "c"]

    played(scenario)


def test_an_order_sent_without_an_answer_is_in_doubt_and_found() -> None:
    """The broker took it without a word: it is told in doubt, looked for by its order_ref, and found."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        broker.mode = "silent"  # type: ignore[attr-defined]
        result = await desk.do(Verb.PLACE, limit("r"))
        assert result.outcome is Outcome.DONE and result.detail["perm_id"]
        doubts = desk.of(BrokerEventKind.COMMAND, outcome="in_doubt")
        assert [payload["reason"] for payload in doubts] == ["being sent", "sent, and no answer"]

    played(scenario)


def test_an_order_that_got_lost_is_absent_after_two_complete_looks_and_never_sent_again() -> None:
    """Nowhere among open orders, completed orders and executions, twice: refused, and its ref is spent."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        broker.mode = "lost"  # type: ignore[attr-defined]
        result = await desk.do(Verb.PLACE, limit("r"))
        assert result.outcome is Outcome.REFUSED and "two complete looks" in result.reason.replace("2", "two")
        looks = [len(desk.answers(name)) for name in ("open_orders", "completed_orders", "executions")]
        assert min(looks) >= 3, "the walk and two looks"
        broker.mode = ""  # type: ignore[attr-defined]
        assert (await desk.do(Verb.PLACE, limit("r"))).outcome is Outcome.REFUSED
        assert not broker.orders

    played(scenario)


def family() -> tuple[dict[str, Any], dict[str, Any]]:
    """A parent that is held until its child releases both."""
    exits = {"side": "SELL", "parent_ref": "entry", "oca_group": "exit", "oca_type": 2}
    return limit("entry", transmit=False), limit("target", **exits)


def test_a_family_goes_out_together_however_its_commands_come() -> None:
    """Both at once, while the parent's contract is still being asked for: the child waits for its number."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        parent, child = (desk.send(Verb.PLACE, order) for order in family())
        await until(lambda: desk.queue.result(parent) is not None, "the parent")
        await until(lambda: desk.queue.result(child) is not None, "the child")
        results = [desk.queue.result(command_id) for command_id in (parent, child)]
        assert [result and result.outcome for result in results] == [Outcome.DONE, Outcome.DONE], results
        entry, target = (order.ticket for order in broker.orders.values())
        assert (entry.order_ref, entry.transmit, target.parent_id) == ("entry", False, entry.order_id)

    played(scenario, order_timeout_s=20)


def test_an_order_that_is_not_transmitted_stays_in_doubt() -> None:
    """The gateway tells nothing of it, so not finding it proves nothing."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        command_id = desk.send(Verb.PLACE, family()[0])
        await until(lambda: bool(broker.untransmitted), "the order at the broker")  # type: ignore[attr-defined]
        desk.clock.leap(2 * VALID_S)
        await until(lambda: desk.queue.result(command_id) is not None, "the end of its time")
        result = desk.queue.result(command_id)
        assert result is not None
        assert result.outcome is Outcome.IN_DOUBT and "not transmitted" in result.reason

    played(scenario)


def test_a_child_whose_parent_is_refused_is_not_sent() -> None:
    """The parent's contract is a share's: neither goes out."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        parent, child = family()
        commands = [desk.send(Verb.PLACE, parent | {"conid": SHARE.conid}), desk.send(Verb.PLACE, child)]
        for command_id in commands:
            await until(lambda name=command_id: desk.queue.result(name) is not None, "a result")  # type: ignore[misc]
        results = [desk.queue.result(command_id) for command_id in commands]
        assert [result and result.outcome for result in results] == [Outcome.REFUSED, Outcome.REFUSED]
        assert not broker.orders

    played(scenario)


def test_a_broken_look_concludes_nothing() -> None:
    """While answers lack their end the order stays in doubt; the first two complete ones decide."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        broker.mode = "lost"  # type: ignore[attr-defined]
        server.faults.omit_open_orders_end = True
        command_id = desk.send(Verb.PLACE, limit("r"))
        await until(lambda: len(desk.answers("open_orders", "failed")) >= 2, "two looks that broke off")
        assert desk.queue.result(command_id) is None
        server.faults.omit_open_orders_end = False
        await until(lambda: desk.queue.result(command_id) is not None, "the decision")

    played(scenario, request_timeout_s=0.3)


def test_an_order_whose_connection_breaks_is_found_after_the_next() -> None:
    """The order is at the broker, its answer was not heard: after the walk it is done, once."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        broker.mode = "silent"  # type: ignore[attr-defined]
        command_id = desk.send(Verb.PLACE, limit("r"))
        await until(lambda: bool(broker.orders), "the order at the broker")
        server.drop_links()
        await until(lambda: desk.queue.result(command_id) is not None, "the decision")
        result = desk.queue.result(command_id)
        assert result is not None and result.outcome is Outcome.DONE
        assert refs(broker) == ["r"]

    played(scenario, order_timeout_s=20)


def test_an_order_of_a_session_that_died_is_looked_for_and_not_sent() -> None:
    """A PLACE that comes back after a crash: found where the broker has it, refused where it has not."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        await desk.do(Verb.PLACE, limit("there"))
        desk.deliver_again("c-there", Verb.PLACE, limit("there"), again=True)
        desk.deliver_again("c-lost", Verb.PLACE, limit("lost"), again=True)
        await until(lambda: desk.queue.result("c-lost") is not None, "the decision")
        there, lost = desk.queue.result("c-there"), desk.queue.result("c-lost")
        assert there is not None and there.outcome is Outcome.DONE
        assert lost is not None and lost.outcome is Outcome.REFUSED
        assert refs(broker) == ["there"]

    played(scenario)


def test_commands_of_a_dead_session_wait_for_the_walk() -> None:
    """They come first of all, when no order is known yet; a cancel and a change are read from the orders."""

    async def play() -> None:
        broker, state = DeafBroker(), MemoryCommands()
        async with gateway(broker, hand_clock(), accounts=(ACCOUNT,)) as server:
            async with session_desk(broker_settings(server.port, **FAST), state=state) as desk:
                await desk.ready()
                for name in ("gone", "working"):
                    await desk.do(Verb.PLACE, limit(name), command_id=f"place {name}")
                await desk.do(Verb.CANCEL, {"order_ref": "gone"})
                desk.deliver_again("c-gone", Verb.CANCEL, {"order_ref": "gone"}, again=True)
                desk.deliver_again("c-working", Verb.CANCEL, {"order_ref": "working"}, again=True)
                change = {"order_ref": "working", "quantity": "9"}
                desk.deliver_again("c-change", Verb.MODIFY, change, again=True)
                desk.stop.set()
            async with session_desk(broker_settings(server.port, **FAST), state=state) as desk:
                await until(lambda: not desk.waiting(), "all to be decided")
        outcomes = {name: state.results[f"c-{name}"] for name in ("gone", "working", "change")}
        assert [result and result.outcome for result in outcomes.values()] == [
            Outcome.DONE,
            Outcome.REFUSED,
            Outcome.REFUSED,
        ]
        assert [order.status for order in broker.orders.values()] == [Status.CANCELLED, Status.PRE_SUBMITTED]

    run(play())


@pytest.mark.parametrize("code", [201, 103, 110, 200, 321])
def test_a_refusal_of_the_broker_ends_the_command_and_is_told(code: int) -> None:
    """The order does not live: the command is refused with the broker's words, and an error is told."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        broker.mode, broker.code = "refused", code  # type: ignore[attr-defined]
        result = await desk.do(Verb.PLACE, limit("r"))
        assert result.outcome is Outcome.REFUSED and str(code) in result.reason
        (error,) = desk.of(BrokerEventKind.ORDER_ERROR)
        assert (error["order_ref"], error["code"]) == ("r", code)

    played(scenario, order_timeout_s=20)


def test_a_warning_about_a_working_order_ends_nothing() -> None:
    """ib_insync marks the order cancelled; here it is told as working, and the orders are read again."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        result = await desk.do(Verb.PLACE, limit("r"))
        asked = len(desk.answers("open_orders"))
        server.order_error(11, result.detail["order_id"], 2_148_000, "something about it", '{"rejects": 1}')
        await until(lambda: len(desk.answers("open_orders")) > asked, "the orders, read again")
        (row,) = desk.answers("open_orders")[-1]["rows"]
        assert (row["order_ref"], row["status"]) == ("r", "PreSubmitted")
        assert {payload["status"] for payload in desk.of(BrokerEventKind.ORDER)} == {"PreSubmitted"}
        assert desk.of(BrokerEventKind.ORDER_ERROR, order_ref="r")[0]["advanced"] == '{"rejects": 1}'

    played(scenario)


def test_a_cancel_is_done_when_a_status_says_so() -> None:
    """By order_ref or perm_id; the API's number is found, never given."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        await desk.do(Verb.PLACE, limit("a"))
        second = await desk.do(Verb.PLACE, limit("b"))
        for named in ({"order_ref": "a"}, {"perm_id": second.detail["perm_id"]}):
            result = await desk.do(Verb.CANCEL, named)
            assert result.outcome is Outcome.DONE, result
        assert {order.status for order in broker.orders.values()} == {Status.CANCELLED}

    played(scenario)


def test_a_cancel_that_lost_against_a_fill_says_so() -> None:
    """The order filled: the cancel is refused with what the order is."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        await desk.do(Verb.PLACE, place("r", OPTION.conid, ACCOUNT))
        result = await desk.do(Verb.CANCEL, {"order_ref": "r"})
        assert result.outcome is Outcome.REFUSED and "Filled" in result.reason

    played(scenario)


def test_a_cancel_without_an_answer_is_decided_by_reading_the_orders() -> None:
    """No word came and the order works on: the cancel did not happen."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        await desk.do(Verb.PLACE, limit("r"))
        broker.mode = "silent"  # type: ignore[attr-defined]
        result = await desk.do(Verb.CANCEL, {"order_ref": "r"})
        assert result.outcome is Outcome.REFUSED and "as before" in result.reason

    played(scenario)


@pytest.mark.parametrize("named", [{"order_ref": "nobody"}, {"perm_id": "1"}, {}])
def test_a_cancel_of_no_known_order_is_refused(named: dict[str, str]) -> None:
    """What is not at the broker cannot be cancelled, and nothing is sent."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        assert (await desk.do(Verb.CANCEL, named)).outcome is Outcome.REFUSED

    played(scenario)


def test_a_change_is_done_when_the_broker_tells_the_new_figures() -> None:
    """Price and quantity change on the same order; its group and ref stay."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        await desk.do(Verb.PLACE, limit("r", oca_group="g", oca_type=2))
        result = await desk.do(Verb.MODIFY, {"order_ref": "r", "limit_price": "0.55", "quantity": "3"})
        assert result.outcome is Outcome.DONE, result
        (order,) = broker.orders.values()
        ticket = order.ticket
        assert (ticket.limit_price, ticket.quantity) == (Decimal("0.55"), Decimal(3))
        assert (ticket.oca_group, ticket.oca_type, ticket.order_ref) == ("g", 2, "r")

    played(scenario)


def test_cancelling_everything_wants_its_own_word() -> None:
    """Without the confirmation nothing is sent; with it all orders go, also those of others."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        await desk.do(Verb.PLACE, limit("r"))
        assert (await desk.do(Verb.CANCEL_ALL, {})).outcome is Outcome.REFUSED
        assert (await desk.do(Verb.CANCEL_ALL, {"confirmed": True})).outcome is Outcome.DONE
        await desk.told(BrokerEventKind.ORDER, 1, status="Cancelled")

    played(scenario)


def test_a_question_on_command_is_done_by_a_complete_answer_only() -> None:
    """ASK is done with the rows of a complete answer, and refused with the reason of a broken one."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        assert (await desk.do(Verb.ASK, {"question": "open_orders"})).outcome is Outcome.DONE
        assert (await desk.do(Verb.ASK, {"question": "nonsense"})).outcome is Outcome.REFUSED
        server.faults.omit_executions_end = True
        result = await desk.do(Verb.SWEEP, {})
        assert (result.outcome, result.detail["completeness"]) == (Outcome.REFUSED, "failed")

    played(scenario, request_timeout_s=0.3)


@pytest.mark.parametrize("told", [NUMBER_MAX - 2, NUMBER_MAX + 1, 2**40, 0, -(2**31)])
def test_an_order_that_no_number_is_left_for_is_refused(told: int) -> None:
    """The gateway's next number is none that it reads: no order goes out, all else goes on."""

    async def play() -> None:
        broker = DeafBroker()
        async with gateway(broker, hand_clock(), accounts=(ACCOUNT,)) as server:
            server.faults.next_id_jump = told - 1
            async with session_desk(broker_settings(server.port, **FAST)) as desk:
                await desk.ready()
                result = await desk.do(Verb.PLACE, limit("r"))
                assert result.outcome is Outcome.REFUSED and "order number" in result.reason
                swept = await desk.do(Verb.SWEEP, {})
                assert swept.outcome is Outcome.DONE
                await desk.told(BrokerEventKind.ALERT, code="numbers_ended")
        assert not broker.orders

    run(play())


def test_the_last_number_that_a_gateway_reads_is_an_orders() -> None:
    """The bound itself is a number; after it there is none, and an order that waits for one is refused."""
    session = BrokerSession(broker_settings(), SystemClock(), Random(7))
    context = session._context
    context.raise_number(NUMBER_MAX)
    assert context.take_order_number() == NUMBER_MAX
    assert not context.numbers_ended
    assert context.take_order_number() is None
    assert [context.take_number(), context.take_number()] == [1, 2]
    context.raise_number(NUMBER_MAX - 1)
    assert (context.take_number(), context.take_order_number()) == (3, None)
