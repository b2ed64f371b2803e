"""Incremental and rebuilt books are the same rows, in whatever order the facts arrived."""

from dataclasses import replace
from decimal import Decimal

from fill_samples import RECEIVED
from hypothesis import given, settings
from hypothesis import strategies as st
from pnl_samples import CALL, FRIDAY, MONDAY, PUT, fill
from reconciled_desk import Desk, desk_in_memory

from trading.model.fills import CommissionFact, FillBatch, FillKind, FillRevision, Source, Venue

TUESDAY = MONDAY.replace(day=21)
SESSIONS = (FRIDAY, MONDAY, TUESDAY)


@st.composite
def batches(draw: st.DrawFn) -> list[FillBatch]:
    """Up to twenty fills over three sessions, some corrected, some cancelled, in batches of random order."""
    rows: list[FillRevision] = []
    for number in range(1, draw(st.integers(1, 20)) + 1):
        quantity = draw(st.integers(1, 5)) * draw(st.sampled_from([1, -1]))
        told = fill(
            number,
            quantity,
            Decimal(draw(st.integers(1, 900))) / 100,
            draw(st.sampled_from([CALL, PUT])),
            session=draw(st.sampled_from(SESSIONS)),
            trade_id=f"T{number}",
        ).revision
        rows.append(told)
        if draw(st.booleans()):
            rows.append(
                replace(told, revision=2, quantity=told.quantity + 1, transaction_id=str(number + 100))
            )
        if draw(st.integers(0, 4)) == 0:
            rows.append(_cancel(told, number))
    shuffled = draw(st.permutations(rows))
    size = draw(st.integers(1, 6))
    return [_batch(shuffled[start : start + size]) for start in range(0, len(shuffled), size)]


def _cancel(told: FillRevision, number: int) -> FillRevision:
    return replace(
        told,
        fill_id=f"flex:{number + 200}",
        revision=0,
        kind=FillKind.CANCEL,
        trade_id="",
        cancels_trade_id=told.trade_id,
        transaction_id=str(number + 200),
    )


def _batch(rows: list[FillRevision]) -> FillBatch:
    fees = tuple(
        CommissionFact(
            venue=row.venue,
            account=row.account,
            commission_key=f"{row.fill_id}.{row.revision}",
            fill_id=row.fill_id,
            source=row.source,
            amount=Decimal("1.01") / row_part,
            currency="USD",
            session=row.session,
        )
        for row in rows
        for row_part in (row.revision or 1,)
    )
    return FillBatch(
        venue=Venue.IBKR, source=Source.STATEMENT, origin="test", fills=tuple(rows), commissions=fees
    )


def _rows(desk: Desk) -> list[tuple[str, object]]:
    runs = desk.pnl.runs(Venue.IBKR, "U1")
    return [(run.run_id, desk.pnl.result(Venue.IBKR, "U1", run.session)) for run in runs]


@settings(max_examples=40, deadline=None)
@given(batches())
def test_a_book_kept_day_by_day_is_the_book_rebuilt_from_all_fills(told: list[FillBatch]) -> None:
    """Computed after every batch, or once at the end: the same run ids and the same rows."""
    kept, rebuilt = desk_in_memory(), desk_in_memory()
    for batch in told:
        kept.fills.record(batch, RECEIVED)
        kept.compute("U1")
    for batch in reversed(told):
        rebuilt.fills.record(batch, RECEIVED)
    rebuilt.compute("U1")
    assert _rows(kept) == _rows(rebuilt)
    assert kept.compute("U1").computed == ()
