"""Faults of market data as they are told: quotes, greeks, books, prints, halts, farms, permissions."""

from dataclasses import replace

from simulation.faults.fault import Fault, Group, wire_switch
from simulation.faults.language import Values
from simulation.faults.stage import Stage
from simulation.tws.fields import UNSET_DOUBLE
from simulation.tws.options import DataPermission

OF_THE_HISTORY_FARM = frozenset({"HistoricalData", "HistoricalTicks", "HeadTime", "RealTimeBars"})
TOLD_AS = {"unset": UNSET_DOUBLE, "nan": "NaN"}  # any other word is told as it stands


def _permission(permission: DataPermission) -> Fault:
    words = {DataPermission.DELAYED: "delayed data", DataPermission.NONE: "no data permission"}[permission]
    code = 10167 if permission is DataPermission.DELAYED else 354

    def act(stage: Stage, values: Values) -> None:
        stage.server.state.options = replace(stage.server.state.options, permission=permission)

    def undo(stage: Stage, values: Values) -> None:
        stage.server.state.options = replace(stage.server.state.options, permission=DataPermission.LIVE)

    says = f"New market data requests are answered with {code}."
    return Fault(words=words, group=Group.DATA, says=says, act=act, undo=undo)


def _halt(stage: Stage, values: Values) -> None:
    stage.wire.halted = stage.wire.halted | _conids(stage, values)


def _resume(stage: Stage, values: Values) -> None:
    stage.wire.halted = stage.wire.halted - _conids(stage, values)


def _conids(stage: Stage, values: Values) -> set[int]:
    found = {
        contract.conid
        for contract in stage.broker.world.listings.by_conid.values()
        if contract.underlying is not None and contract.underlying.symbol == values["symbol"]
    }
    if not found:
        raise ValueError(f"symbol: expected a listed one, was {values['symbol']}")
    return found


def _silence(stage: Stage, values: Values) -> None:
    stage.wire.silenced = stage.wire.silenced | _conids(stage, values)


def _unsilence(stage: Stage, values: Values) -> None:
    stage.wire.silenced = stage.wire.silenced - _conids(stage, values)


def _break_data_farm(stage: Stage, values: Values) -> None:
    stage.wire.data_farm_down = True
    stage.server.notify(2103)


def _mend_data_farm(stage: Stage, values: Values) -> None:
    if stage.wire.data_farm_down:
        stage.wire.data_farm_down = False
        stage.server.notify(2104)


def _break_history_farm(stage: Stage, values: Values) -> None:
    stage.wire.failing_requests |= dict.fromkeys(OF_THE_HISTORY_FARM, 162)
    stage.server.notify(2105)


def _mend_history_farm(stage: Stage, values: Values) -> None:
    broken = OF_THE_HISTORY_FARM & stage.wire.failing_requests.keys()
    for name in broken:
        del stage.wire.failing_requests[name]
    if broken:
        stage.server.notify(2106)


def _told_as(values: Values) -> str:
    word = str(values["word"])
    return TOLD_AS.get(word, word)


def _lose_depth(stage: Stage, values: Values) -> None:
    stage.wire.lost_depth += values["count"]


MARKET_FAULTS: tuple[Fault, ...] = (
    _permission(DataPermission.DELAYED),
    _permission(DataPermission.NONE),
    wire_switch(
        "withhold greeks",
        Group.DATA,
        "Greeks are told as not computed.",
        "withhold_greeks",
        drawn="withhold greeks",
    ),
    wire_switch(
        "cross quotes", Group.DATA, "Bids are told above their asks.", "crossed_quotes", drawn="cross quotes"
    ),
    wire_switch("silence market", Group.DATA, "No ticks at all.", "silent_market", drawn="silence market"),
    Fault(
        words="silence <symbol>",
        group=Group.DATA,
        says="No ticks of the symbol and its options, while all others go on.",
        act=_silence,
        undo=_unsilence,
        drawn="silence TSLA",
    ),
    Fault(
        words="break data farm",
        group=Group.DATA,
        says="2103 and no ticks at all; 2104 when it is mended. What was missed is never told.",
        act=_break_data_farm,
        undo=_mend_data_farm,
        drawn="break data farm",
    ),
    Fault(
        words="break history farm",
        group=Group.DATA,
        says="2105, and requests of bars and past ticks fail with 162; 2106 when it is mended.",
        act=_break_history_farm,
        undo=_mend_history_farm,
        drawn="break history farm",
    ),
    wire_switch(
        "tell prices as <word>",
        Group.DATA,
        "Prices of lines, books, single ticks and live bars are told so: nan, unset, -1, 0, …",
        "price_text",
        _told_as,
        off="",
        drawn="tell prices as nan",
    ),
    wire_switch(
        "tell greeks as <word>",
        Group.DATA,
        "Model values are told so: nan, unset, …",
        "greeks_text",
        _told_as,
        off="",
        drawn="tell greeks as unset",
    ),
    Fault(
        words="lose depth <count>",
        group=Group.DATA,
        says="So many changes of books are not told: what clients hold is wrong from then on.",
        act=_lose_depth,
        drawn="lose depth 3",
    ),
    Fault(
        words="break depth",
        group=Group.DATA,
        says="A change of a level that no book has.",
        act=lambda stage, values: stage.server.break_depth(),
        drawn="break depth",
    ),
    Fault(
        words="halt <symbol>",
        group=Group.DATA,
        says="Tick 49 says halted for the symbol and its options.",
        act=_halt,
        undo=_resume,
        drawn="halt TSLA",
    ),
    Fault(
        words="reset depth",
        group=Group.DATA,
        says="317: books must be emptied and are told anew.",
        act=lambda stage, values: stage.server.reset_depth(),
        drawn="reset depth",
    ),
    Fault(
        words="send unknown message <code>",
        group=Group.DATA,
        says="A message with an id that no client knows.",
        act=lambda stage, values: stage.server.send_raw([str(values["code"]), "1", "?"]),
        drawn="send unknown message 250",
    ),
)
