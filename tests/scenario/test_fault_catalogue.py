"""Each fault of the catalogue while orders are filled: what is heard of it, and that the fills are the truth.

One gateway, one session and one drain for the whole file. A case trades, does its fault, trades again, takes
the fault back and waits until the warehouse equals the gateway's journal, row for row, fees and corrections
included. What no stream can tell is named in the table, and comes with the statement at the end.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from live_loop import LiveLoop, live_loop, now
from real_redis import redis_binary

import sql
from adapters.ibkr.read_file import read
from adapters.wiring import ingest_stores
from simulation.faults.catalogue import BY_WORDS
from simulation.sample_desk import Journal, compare
from trading.services.ingest_fills import SourceFile, ingest_fills

LOST = "kind = 'link' and JSONExtractString(payload, 'state') = 'lost'"
DEGRADED = "kind = 'link' and JSONExtractString(payload, 'state') = 'data_degraded'"
REFUSED = "kind = 'order_error' and JSONExtractInt(payload, 'code') = 201"
ALERT = "kind = 'alert'"
HELD_S = 0.3  # how long a switch stays on at least: half a minute of the market
HEARD_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A fault as it is done: words before and after it, what must be heard, what only the statement tells."""

    do: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ("clear faults",)
    heard: str = ""
    untold: str = ""


CASES = {
    "drop link": Case(do="drop link", heard=LOST),
    "drop link mid-message": Case(do="drop link mid-message", heard=LOST),
    "drop client <number>": Case(do="drop client 11", heard=LOST),
    "half-open link": Case(do="half-open link", heard=LOST),
    "refuse connections": Case(do="drop link", before=("refuse connections",), heard=LOST),
    "split writes <count> bytes": Case(do="split writes 1 bytes"),
    "coalesce writes <seconds> s": Case(do="coalesce writes 0.2 s"),
    "restart gateway <seconds> s": Case(do="restart gateway 0.2 s", heard=LOST),
    "lose broker": Case(do="lose broker", after=("find broker data kept",), heard=LOST),
    "find broker data lost": Case(do="lose broker", after=("find broker data lost",), heard=LOST),
    "find broker data kept": Case(do="lose broker", after=("find broker data kept",), heard=LOST),
    "notice <code>": Case(do="notice 2103", after=("notice 2104",), heard=DEGRADED),
    "notice <code> saying <text>": Case(do="notice 2105 saying broken", after=("notice 2106 saying mended",)),
    "move port": Case(do="move port", heard=LOST),
    "jump next id <count>": Case(do="drop link", before=("jump next id 500",), heard=LOST),
    "clear faults": Case(do="clear faults"),
    "omit end of executions": Case(
        do="omit end of executions", heard="question = 'executions' and completeness = 'partial'"
    ),
    "omit end of completed orders": Case(
        do="drop link", before=("omit end of completed orders",), heard=LOST
    ),
    "omit end of open orders": Case(do="drop link", before=("omit end of open orders",), heard=LOST),
    "omit end of positions": Case(
        do="omit end of positions", heard="question = 'positions' and completeness = 'partial'"
    ),
    "resend last <count> executions": Case(do="resend last 50 executions"),
    "repeat executions <count> times": Case(do="repeat executions 3 times"),
    "hide executions": Case(do="hide executions"),
    "delay executions <seconds> s": Case(do="delay executions 90 s"),
    "reorder executions <count>": Case(do="reorder executions 4"),
    "replay last revision only": Case(
        do="correct last execution by 0.02", before=("replay last revision only",)
    ),
    "zone <word>": Case(do="zone EDT"),
    "field count <change>": Case(do="field count -1"),
    "correct last execution quantity <quantity>": Case(do="correct last execution quantity 1"),
    "correct last execution price <price>": Case(do="correct last execution price 1.23"),
    "correct last execution by <change>": Case(do="correct last execution by 0.01"),
    "bust last execution": Case(do="bust last execution", untold="busted"),
    "executions before open orders": Case(do="executions before open orders"),
    "statuses before executions": Case(do="statuses before executions"),
    "wrong cumulative <change>": Case(do="wrong cumulative 2"),
    "commissions first": Case(do="commissions first"),
    "repeat commissions <count> times": Case(do="repeat commissions 2 times"),
    "hide commissions": Case(do="hide commissions"),
    "delay commissions <seconds> s": Case(do="delay commissions 120 s"),
    "no commissions": Case(do="no commissions", untold="fees"),
    "pay rebates": Case(do="pay rebates"),
    "unset realized profit": Case(do="unset realized profit"),
    "reject next order": Case(do="reject next order", heard=REFUSED),
    "reject next order with json": Case(do="reject next order with json", heard=REFUSED),
    "reject next order code <code> <text>": Case(do="reject next order code 201 no", heard=REFUSED),
    "error <code> on next order": Case(do="error 2109 on next order", heard="kind = 'order_error'"),
    "error <code> on last order": Case(do="error 2109 on last order", heard="kind = 'order_error'"),
    "cancels take <seconds> s": Case(do="cancel last order", before=("cancels take 20 s",)),
    "cancel last order": Case(do="cancel last order", heard="payload like '%Cancelled%'"),
    "place by hand <side> <quantity> <symbol>": Case(
        do="place by hand BUY 100 IWM",
        untold="fees",  # other clients' reports reach the master client only
    ),
    "unset margins": Case(do="unset margins"),
    "delayed data": Case(do="delayed data"),
    "no data permission": Case(do="no data permission"),
    "withhold greeks": Case(do="withhold greeks"),
    "cross quotes": Case(do="cross quotes"),
    "silence market": Case(do="silence market"),
    "silence <symbol>": Case(do="silence TSLA", after=("clear faults",)),
    "break data farm": Case(do="break data farm", after=("clear faults",)),
    "break history farm": Case(do="break history farm", after=("clear faults",)),
    "tell prices as <word>": Case(do="tell prices as nan", after=("clear faults",)),
    "tell greeks as <word>": Case(do="tell greeks as unset", after=("clear faults",)),
    "lose depth <count>": Case(do="lose depth 3"),
    "break depth": Case(do="break depth"),
    "halt <symbol>": Case(do="halt TSLA", after=("clear faults",)),
    "reset depth": Case(do="reset depth"),
    "send unknown message <code>": Case(do="send unknown message 250", heard=ALERT),
    "statement cash off by <change>": Case(do="statement cash off by 10"),
    "statement omits last trade": Case(do="statement omits last trade"),
    "assign held option": Case(do="assign held option"),
    "skew clock <change> s": Case(do="skew clock 45 s"),
    "jump clock <seconds> s": Case(do="jump clock 60 s"),
    "freeze clock": Case(do="freeze clock", after=("thaw clock",)),
    "thaw clock": Case(do="thaw clock", before=("freeze clock",)),
    "speed <count>": Case(do="speed 300", after=("speed 120",)),
}


QUICK = frozenset(  # of `make test`; the others take their time in `make soak`
    {
        "bust last execution", "commissions first", "correct last execution quantity <quantity>",
        "delay executions <seconds> s", "drop link", "drop link mid-message", "find broker data lost",
        "half-open link", "hide executions", "no commissions",
    }
)  # fmt: skip
PARAMETERS = [
    pytest.param(words, marks=() if words in QUICK else pytest.mark.soak, id=words) for words in sorted(CASES)
]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveLoop]:
    """The live path, running; `untold` fills are those of which the statement alone tells the rest."""
    if redis_binary() is None:
        pytest.skip("no redis-server on this machine")
    with live_loop(tmp_path_factory.mktemp("live")) as running:
        running.trade()
        yield running


UNTOLD: dict[tuple[str, ...], str] = {}  # fill → the column that the statement will tell


def unexpected(desk: LiveLoop) -> list[object]:
    """Differences that no statement is needed for; a fill that was taken back differs in everything."""
    return [item for item in desk.differences() if UNTOLD.get(item.key) not in ("busted", item.column)]


def test_every_fault_has_a_case() -> None:
    """A new fault is not in the catalogue until somebody says what the platform does about it."""
    assert set(CASES) == set(BY_WORDS)


@pytest.mark.parametrize("words", PARAMETERS)
def test_the_fills_are_the_truth(desk: LiveLoop, words: str) -> None:
    """Whatever goes wrong, the warehouse comes to equal the journal, and what was noticed is told."""
    case, began = CASES[words], now()
    count = len(desk.journal().fills)
    desk.trade()
    desk.wait_for(lambda: len(desk.journal().fills) > count, lambda: "nothing was filled")
    for fault in (*case.before, case.do):
        desk.running.fault(fault)
    desk.trade()
    time.sleep(HELD_S)
    if case.heard:
        desk.wait_for(lambda: desk.heard(began, case.heard) > 0, lambda: f"not heard: {case.heard}", HEARD_S)
    if case.untold:
        desk.wait_for(lambda: bool(unexpected(desk)), lambda: f"no difference in {case.untold}")
    for fault in case.after:
        desk.running.fault(fault)
    desk.wait_for(lambda: is_settled(desk, case.untold), lambda: unexpected(desk))
    assert desk.warehouse.rows(sql.query("outbox_gaps"), {"most": 10}) == []


def test_the_statement_tells_the_rest(desk: LiveLoop) -> None:
    """After the broker's statements of all sessions everything equals the journal: fees, busts, bookings."""
    assert set(UNTOLD.values()) == {"fees", "busted"}
    journal, statements = desk.running.do(lambda gateway: _closed(gateway.broker))
    stores = ingest_stores(desk.settings, desk.warehouse, "test")
    for text in statements:
        file = read(text.encode())
        ingest_fills(
            [SourceFile(name="activity.xml", batches=file.batches, statements=file.statements)], stores
        )
    found = compare(journal, fills=desk.warehouse.rows(sql.query("fills_standing")))
    assert found == ()


def is_settled(desk: LiveLoop, untold: str) -> bool:
    """Whether nothing differs; what differs in what no stream can tell is noted for the statement."""
    for item in desk.differences():
        if item.column == untold:
            UNTOLD.setdefault(item.key, untold)
    return not unexpected(desk)


def _closed(broker) -> tuple[Journal, list[str]]:  # type: ignore[no-untyped-def]
    """The truth of all sessions with their ends, and the statements of each."""
    session = broker.session
    broker.close_session(session)
    texts = [
        broker.statement(account, evening)
        for account, ledger in broker.ledgers.items()
        for evening in ledger.evenings
    ]
    return broker.journal(), texts
