"""Properties of the engine: order of arrival, days or one pass, columns or lots make no difference; money
adds up.
"""

from collections.abc import Sequence
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from pnl_samples import CALL, FRIDAY, PUT, SHARE, fill, named, run

from trading.calendar import TradingCalendar
from trading.model.fills import Fill
from trading.pnl.book import Book
from trading.settings import LotMethod

SESSIONS = [FRIDAY]
while len(SESSIONS) < 4:
    SESSIONS.append(TradingCalendar().next_session(SESSIONS[-1]))


@st.composite
def histories(draw: st.DrawFn) -> list[Fill]:
    """Up to forty fills of three instruments over four sessions, with fees, rebates and fractions."""
    count = draw(st.integers(1, 40))
    days = sorted(draw(st.lists(st.integers(0, 3), min_size=count, max_size=count)))
    fills = []
    for number, day in enumerate(days, start=1):
        quantity = draw(st.integers(1, 9)) * draw(st.sampled_from([1, -1]))
        price = Decimal(draw(st.integers(0, 5000))) / 1000
        fee = Decimal(draw(st.integers(-(10**9), 2 * 10**9))).scaleb(-9)
        instrument = draw(st.sampled_from([CALL, PUT, SHARE]))
        told = fill(number, quantity, price, instrument, fee=fee, session=SESSIONS[day])
        closes = draw(st.sampled_from(["", "", "", "C"]))
        fills.append(named(told, open_close=closes))
    return fills


def _by_day(fills: Sequence[Fill], **more: object) -> tuple[Book, list[object]]:
    book: Book | None = None
    rows: list[object] = []
    for session in SESSIONS:
        todays = [item for item in fills if item.revision.session == session]
        book, result = run(todays, book, session=session, **more)  # type: ignore[arg-type]
        rows.append(result)
    assert book is not None
    return book, rows


@settings(max_examples=60, deadline=None)
@given(histories())
def test_money_adds_up(fills: list[Fill]) -> None:
    """Cash is what was realized less what the open lots still cost, to the last place."""
    book, rows = _by_day(fills)
    realized = sum((match.realized for row in rows for match in row.matches), Decimal(0))  # type: ignore[attr-defined]
    basis = sum((lot.basis for lot in book.lots), Decimal(0))
    assert book.cash.get("USD", Decimal(0)) == realized - basis


@settings(max_examples=60, deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_count(fills: list[Fill], random: object) -> None:
    """Shuffled fills give the same rows: FIFO goes by time, then by the broker's number."""
    shuffled = list(fills)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert _by_day(shuffled) == _by_day(fills)


@settings(max_examples=60, deadline=None)
@given(histories())
def test_columns_and_lots_give_the_same_rows(fills: list[Fill]) -> None:
    """The compiled loop is the ledger, row for row: lots, matches, daily rows, cash."""
    assert _by_day(fills, bulk_from=0) == _by_day(fills)


@settings(max_examples=40, deadline=None)
@given(histories(), st.sampled_from(list(LotMethod)))
def test_positions_are_the_sum_of_fills_under_every_method(fills: list[Fill], method: LotMethod) -> None:
    """What is held is what was traded, missing history included."""
    book, _ = _by_day(fills, method=method)
    for instrument in (CALL, PUT, SHARE):
        key = instrument.instrument_id
        traded = [item.revision for item in fills if item.revision.instrument.instrument_id == key]
        assert book.position(key) == sum(revision.signed_quantity for revision in traded)
