"""Accounts at Kalshi and Kraken are compared with what the venue says it holds, out of files of the inbox."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from reconciled_desk import FIRST, LAST, SETTINGS, Desk, desk_in_memory

from adapters.inbox.reader import VenueFileReader
from trading.model.fills import Source, Venue
from trading.ports.inbox import FileRefusedError
from trading.reconciliation.breaks import BreakKind
from trading.reconciliation.sign_off import SessionState
from trading.services.compute_pnl import compute_pnl
from trading.services.reconcile_session import ReconcileReport, reconcile_range

THURSDAY, FRIDAY = date(2026, 11, 19), date(2026, 11, 20)
NOON = datetime(2026, 11, 19, 17, 0, tzinfo=UTC)
NEXT_MORNING = datetime(2026, 11, 20, 11, 30, tzinfo=UTC)
SATURDAY = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def kalshi_fill(number: int, side: str, count: str, at: datetime = NOON, **changes: Any) -> dict[str, Any]:
    return {
        "fill_id": f"k-{number}",
        "ticker": "KXFED-26",
        "order_id": "o-1",
        "action": "buy",
        "side": side,
        "count_fp": count,
        "yes_price_dollars": "0.4000",
        "no_price_dollars": "0.6000",
        "fee_cost": "0.0200",
        "is_taker": True,
        "created_time": stamp(at),
    } | changes


def kalshi_fills(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"cursor": "", "fills": list(rows)}


def kalshi_positions(at: datetime | None, **held: str) -> dict[str, Any]:
    rows = [
        {"ticker": ticker.replace("_", "-"), "position_fp": count, "market_exposure_dollars": "1.00"}
        for ticker, count in held.items()
    ]
    events = [{"event_ticker": "KXFED", "total_cost_dollars": "4.00"}]
    told = {"cursor": "", "market_positions": rows, "event_positions": events}
    return told if at is None else {"asked_at": stamp(at), **told}


def kraken_fills(*rows: tuple[str, str, float, datetime]) -> dict[str, Any]:
    fills = [
        {
            "fill_id": fill_id,
            "symbol": "PF_ETHUSD",
            "side": side,
            "order_id": "o-1",
            "fillTime": stamp(at),
            "size": size,
            "price": 3000.5,
            "fillType": "taker",
            "fee_paid": 0.15,
            "fee_currency": "USD",
        }
        for fill_id, side, size, at in rows
    ]
    return {"result": "success", "serverTime": stamp(NOON), "fills": fills}


def kraken_positions(at: datetime, *held: tuple[str, str, float]) -> dict[str, Any]:
    rows = [
        {"side": side, "symbol": symbol, "price": 3001.123456789012345, "fillTime": stamp(NOON), "size": size}
        for side, symbol, size in held
    ]
    return {"result": "success", "serverTime": stamp(at), "openPositions": rows}


@pytest.fixture
def desk() -> Desk:
    return desk_in_memory()


def drop(desk: Desk, *documents: Any, source: Source | None = None) -> None:
    """Let the inbox's reader read each and store what it says; `source` pretends that another told it."""
    for document in documents:
        found = VenueFileReader().read(json.dumps(document).encode(), "main/file.json")
        for batch in found.batches:
            if source is not None:
                batch = replace(
                    batch,
                    source=source,
                    fills=tuple(replace(fill, source=source) for fill in batch.fills),
                    commissions=tuple(replace(fee, source=source) for fee in batch.commissions),
                )
            desk.take_batch(batch)
        for statement in found.statements:
            desk.statements.record(statement, desk.clock.now())


def reconcile(desk: Desk, venue: Venue) -> dict[date, ReconcileReport]:
    compute_pnl(desk.pnl_stores, venue, "main", LAST)
    reports = reconcile_range(desk.reconcile_stores, SETTINGS, venue, "main", FIRST, LAST)
    return {report.sign_off.session: report for report in reports}


def open_breaks(report: ReconcileReport) -> list[tuple[BreakKind, str, Decimal | None, Decimal | None]]:
    return [
        (event.found.kind, event.found.symbol, event.found.ours, event.found.theirs)
        for event in report.open_breaks
    ]


def test_a_kalshi_account_is_reconciled_by_its_positions(desk: Desk) -> None:
    """Buying NO is being short YES, and the venue says so with a negative position."""
    drop(desk, kalshi_fills(kalshi_fill(1, "no", "3.50"), kalshi_fill(2, "yes", "1.00")))
    drop(desk, kalshi_positions(NEXT_MORNING, KXFED_26="-2.50"))
    report = reconcile(desk, Venue.KALSHI)[THURSDAY]
    assert report.sign_off.state is SessionState.RECONCILED
    assert (report.fills_matched, report.standing) == (2, ())


def test_a_kraken_account_is_reconciled_by_its_positions(desk: Desk) -> None:
    """The average price of the venue is not our basis and breaks nothing."""
    drop(desk, kraken_fills(("a", "sell", 0.3, NOON), ("b", "sell", 0.1, NOON)))
    drop(desk, kraken_positions(NEXT_MORNING, ("short", "PF_ETHUSD", 0.4)))
    report = reconcile(desk, Venue.KRAKEN)[THURSDAY]
    assert report.sign_off.state is SessionState.RECONCILED
    assert report.standing == ()


def test_without_a_positions_answer_the_session_awaits_it(desk: Desk) -> None:
    """Fills alone prove no position: nothing is claimed."""
    drop(desk, kraken_fills(("a", "buy", 0.3, NOON)))
    assert reconcile(desk, Venue.KRAKEN)[THURSDAY].sign_off.state is SessionState.AWAITING_STATEMENT


def test_an_answer_of_the_same_day_says_nothing_of_its_evening(desk: Desk) -> None:
    """Asked before the day was over, it is about the evening before."""
    drop(desk, kraken_fills(("a", "buy", 0.3, NOON)))
    drop(desk, kraken_positions(NOON + timedelta(hours=2), ("long", "PF_ETHUSD", 0.3)))
    reports = reconcile(desk, Venue.KRAKEN)
    assert reports[THURSDAY].sign_off.state is SessionState.AWAITING_STATEMENT
    assert reports[date(2026, 11, 18)].sign_off.state is SessionState.RECONCILED, "then nothing was held"


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ({"KXFED_26": "-2.51"}, [("KXFED-26", "-2.5", "-2.51")]),
        ({"KXFED_26": "2.50"}, [("KXFED-26", "-2.5", "2.5")]),
        ({}, [("KXFED-26", "-2.5", "0")]),
        ({"KXFED_26": "-2.50", "KXCPI_26": "7"}, [("KXCPI-26", "0", "7")]),
    ],
    ids=["a hundredth", "wrong side", "nothing told", "not ours"],
)
def test_a_position_that_differs_breaks_the_session(
    desk: Desk, held: dict[str, str], expected: list[tuple[str, str, str]]
) -> None:
    """Found, named, sized in contracts; a complete answer without the contract says that it is not held."""
    drop(desk, kalshi_fills(kalshi_fill(1, "no", "2.50")), kalshi_positions(NEXT_MORNING, **held))
    report = reconcile(desk, Venue.KALSHI)[THURSDAY]
    assert report.sign_off.state is SessionState.BROKEN
    assert open_breaks(report) == [
        (BreakKind.POSITION, symbol, Decimal(ours), Decimal(theirs)) for symbol, ours, theirs in expected
    ]
    assert not reconcile(desk, Venue.KALSHI)[THURSDAY].new_events, "the second check finds nothing new"


def test_what_was_traded_since_the_evening_is_taken_off(desk: Desk) -> None:
    """Asked in the morning after a trade and the closing of another, the answer still proves the evening."""
    drop(
        desk,
        kalshi_fills(
            kalshi_fill(1, "yes", "5.00"),
            kalshi_fill(2, "yes", "4.00", ticker="KXCPI-26"),
            kalshi_fill(3, "yes", "2.00", NEXT_MORNING - timedelta(hours=1)),
            kalshi_fill(
                4, "yes", "4.00", NEXT_MORNING - timedelta(hours=1), ticker="KXCPI-26", action="sell"
            ),
            kalshi_fill(5, "yes", "9.00", NEXT_MORNING + timedelta(hours=1)),
        ),
        kalshi_positions(NEXT_MORNING, KXFED_26="7.00"),
    )
    reports = reconcile(desk, Venue.KALSHI)
    assert reports[THURSDAY].sign_off.state is SessionState.RECONCILED
    assert reports[FRIDAY].sign_off.state is SessionState.AWAITING_STATEMENT


def test_an_answer_of_the_weekend_is_about_friday(desk: Desk) -> None:
    """The weekend's trades belong to Monday and are taken off."""
    friday = NOON + timedelta(days=1)
    drop(
        desk,
        kraken_fills(("a", "buy", 0.3, friday), ("b", "buy", 0.2, SATURDAY - timedelta(hours=1))),
        kraken_positions(SATURDAY, ("long", "PF_ETHUSD", 0.5)),
    )
    assert reconcile(desk, Venue.KRAKEN)[FRIDAY].sign_off.state is SessionState.RECONCILED


def test_a_fill_at_the_moment_of_the_question_leaves_it_provisional(desk: Desk) -> None:
    """Nobody can say whether the answer knows that fill; a later answer can."""
    drop(
        desk,
        kraken_fills(("a", "buy", 0.3, NOON), ("b", "buy", 0.2, NEXT_MORNING - timedelta(seconds=3))),
        kraken_positions(NEXT_MORNING, ("long", "PF_ETHUSD", 0.5)),
    )
    assert reconcile(desk, Venue.KRAKEN)[THURSDAY].sign_off.state is SessionState.PROVISIONAL
    drop(desk, kraken_positions(NEXT_MORNING + timedelta(minutes=1), ("long", "PF_ETHUSD", 0.5)))
    assert reconcile(desk, Venue.KRAKEN)[THURSDAY].sign_off.state is SessionState.RECONCILED


def test_positions_alone_do_not_sign_off_fills_that_only_the_stream_told(desk: Desk) -> None:
    """The venue's own list of fills must be there; what it does not know is then an extra fill."""
    live = kraken_fills(("a", "buy", 0.3, NOON), ("ghost", "buy", 0.1, NOON))
    drop(desk, live, source=Source.LIVE)
    drop(desk, kraken_positions(NEXT_MORNING, ("long", "PF_ETHUSD", 0.4)))
    assert reconcile(desk, Venue.KRAKEN)[THURSDAY].sign_off.state is SessionState.PROVISIONAL
    drop(desk, kraken_fills(("a", "buy", 0.3, NOON)))
    report = reconcile(desk, Venue.KRAKEN)[THURSDAY]
    assert report.sign_off.state is SessionState.BROKEN
    assert (BreakKind.EXTRA_FILL, "PF_ETHUSD", Decimal("0.1"), None) in open_breaks(report)


def test_a_fill_that_the_stream_lost_is_back_filled_and_explained(desk: Desk) -> None:
    """The venue's list wins, and the session is reconciled with the reason beside it."""
    drop(desk, kraken_fills(("a", "buy", 0.3, NOON)), source=Source.LIVE)
    drop(desk, kraken_fills(("a", "buy", 0.3, NOON), ("b", "buy", 0.1, NOON)))
    drop(desk, kraken_positions(NEXT_MORNING, ("long", "PF_ETHUSD", 0.4)))
    report = reconcile(desk, Venue.KRAKEN)[THURSDAY]
    assert report.sign_off.state is SessionState.RECONCILED
    assert [event.found.cause for event in report.standing] == ["backfilled"]


def test_a_break_is_gone_when_the_missing_fill_came(desk: Desk) -> None:
    """The break is closed by the check that finds it gone, not deleted."""
    drop(
        desk,
        kraken_fills(("a", "buy", 0.3, NOON)),
        kraken_positions(NEXT_MORNING, ("long", "PF_ETHUSD", 0.4)),
    )
    assert reconcile(desk, Venue.KRAKEN)[THURSDAY].sign_off.state is SessionState.BROKEN
    drop(desk, kraken_fills(("b", "buy", 0.1, NOON)))
    report = reconcile(desk, Venue.KRAKEN)[THURSDAY]
    assert report.sign_off.state is SessionState.RECONCILED
    assert [str(event.state) for event in report.standing] == ["closed"]


def test_pages_in_one_file_are_one_answer(desk: Desk) -> None:
    """A list of pages is whole where the last one has no cursor."""
    first = kalshi_positions(NEXT_MORNING, KXFED_26="2.00") | {"cursor": "more"}
    drop(desk, kalshi_fills(kalshi_fill(1, "yes", "2.00")), [first, kalshi_positions(None)])
    assert reconcile(desk, Venue.KALSHI)[THURSDAY].sign_off.state is SessionState.RECONCILED


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (kalshi_positions(None, KXFED_26="2.00"), "asked_at"),
        (kalshi_positions(NEXT_MORNING, KXFED_26="2.00") | {"asked_at": "yesterday"}, "asked_at"),
        (kalshi_positions(NEXT_MORNING, KXFED_26="2.00") | {"cursor": "more"}, "page 1 of 1"),
        ([kalshi_positions(NEXT_MORNING), kalshi_positions(None)], "page 1 of 2"),
        (kalshi_positions(NEXT_MORNING, KXFED_26="many"), "position_fp"),
        (kalshi_positions(NEXT_MORNING) | {"market_positions": None}, "market_positions"),
        (kalshi_positions(NEXT_MORNING) | {"event_positions": [{}]}, "event_ticker"),
        ([kalshi_positions(NEXT_MORNING), 7], "pages"),
        (kraken_positions(NEXT_MORNING, ("flat", "PF_ETHUSD", 1)), "side"),
        (kraken_positions(NEXT_MORNING) | {"result": "error", "error": "nonceBelowThreshold"}, "nonceBelow"),
        (kraken_positions(NEXT_MORNING) | {"serverTime": None}, "serverTime"),
        (kraken_positions(NEXT_MORNING) | {"serverTime": "1969-01-01T00:00:00Z"}, "serverTime"),
        ([kraken_positions(NEXT_MORNING)] * 2, "one answer"),
    ],
)
def test_half_an_answer_is_refused_and_kept_in_the_dead_letter(document: Any, reason: str) -> None:
    """Half of the positions read as all of them would break every contract that is not there."""
    with pytest.raises(FileRefusedError, match=reason) as refusal:
        VenueFileReader().read(json.dumps(document).encode(), "main/file.json")
    (batch,) = refusal.value.batches
    assert all(not row.is_trade_row for row in batch.rejected)
    if "page" not in reason and "one answer" not in reason:
        assert len(batch.rejected) == 1
