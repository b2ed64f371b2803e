"""What every fill store promises, whichever it is."""

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from fill_samples import ACCOUNT, DAY, NOON, RECEIVED, batch, corrected_order, fee, fill

from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.fill_staging import told_fills
from adapters.clickhouse.fill_store import ClickHouseFillStore
from trading.model.fills import Fill, FillBatch, FillKind, FillRevision, RejectedRow, Side, Source, Venue
from trading.ports.fill_store import BatchReport, FillStore


def counts(report: BatchReport) -> tuple[int, int, int, int, int]:
    """total, new, duplicates, corrected, rejected."""
    return (report.total, report.new, report.duplicates, report.corrected, report.rejected)


def standing(store: FillStore, *sessions: date) -> list[Fill]:
    """The fills as they stand."""
    return list(store.fills(Venue.IBKR, ACCOUNT, sessions or (DAY,)))


def test_a_batch_that_is_told_twice_is_stored_once(stores: Any) -> None:
    """The second telling is all duplicates and touches nothing."""
    told = batch([fill("a.01"), fill("b.01", side=Side.SELL)], [fee("a.01.01", "a.01", "1.05")])
    first, second = (stores.fills.record(told, RECEIVED) for _ in range(2))
    assert counts(first) == (2, 2, 0, 0, 0)
    assert counts(second) == (2, 0, 2, 0, 0)
    assert first.touched == ((ACCOUNT, DAY),)
    assert second.touched == ()
    assert [item.revision for item in standing(stores.fills)] == list(told.fills)


def test_what_is_read_back_is_what_was_told_to_the_last_digit(stores: Any) -> None:
    """Every field survives the store, with its type and its content hash."""
    told = fill(
        "ü'; drop table--",
        quantity=Decimal("0.000000000001"),
        price=Decimal("99999999999999.123456789012"),
        notes=("P", "Ep"),
        strategy="moc",
        signal_id="s1",
        provisional=True,
        report_date=DAY,
        broker_realized=Decimal("-27.574600001"),
        broker_cost=Decimal("12.5"),
        fx_rate_to_base=Decimal("0.82172"),
        fill_ts=NOON + timedelta(microseconds=123456),
        raw='{"tab":"\\t","quote":"\\"","emoji":"🜂"}',
    )
    stores.fills.record(batch([told]), RECEIVED)
    (found,) = stores.fills.revisions(Venue.IBKR, ACCOUNT, told.fill_id)
    assert found == told
    assert found.instrument.conid == told.instrument.conid
    assert found.content_hash == told.content_hash


def test_the_brokers_own_correction_ends_in_one_plus_one(stores: Any) -> None:
    """2 cancelled and booked as 1 + 1: quantities replace one another, fees add up, nothing is a bust."""
    report = stores.fills.record(corrected_order(), RECEIVED)
    assert counts(report) == (4, 2, 0, 2, 0)
    first, second = standing(stores.fills)
    assert (first.revision.quantity, first.fees, first.busted) == (1, {"USD": Decimal("1.0333")}, False)
    assert (second.revision.quantity, second.fees) == (1, {"USD": Decimal("0.3333")})
    assert len(stores.fills.revisions(Venue.IBKR, ACCOUNT, "a.01")) == 2


def test_a_last_cancel_is_a_bust_whichever_comes_first(stores: Any) -> None:
    """A cancel newer than the fill takes its quantity to zero, keeps its history, and gives its fee back."""
    cancel = fill("flex:11", kind=FillKind.CANCEL, revision=0, transaction_id="11", cancels_trade_id="T1")
    traded = fill("a.01", trade_id="T1", transaction_id="10")
    fees = [fee("a.01.01", "a.01", "1.3666"), fee("flex:11", "flex:11", "-1.3666")]
    first = stores.fills.record(batch([cancel], fees[1:]), RECEIVED)
    assert counts(first) == (1, 0, 0, 1, 0)
    stores.fills.record(batch([traded], fees[:1]), RECEIVED)
    (found,) = standing(stores.fills)
    assert (found.busted, found.revision.quantity, found.fees) == (True, 0, {"USD": Decimal(0)})
    assert stores.fills.revisions(Venue.IBKR, ACCOUNT, "a.01") == [traded]


def unnumbered(fill_id: str) -> FillRevision:
    """A cancel of trade T1 as confirmations tell it."""
    return fill(fill_id, kind=FillKind.CANCEL, revision=0, trade_id="T1", cancels_trade_id="T1")


def test_a_bust_that_only_a_confirmation_told_is_a_bust(stores: Any) -> None:
    """It has no number to compare: revision n ends by the n-th cancel, a correction's next revision lives."""
    stores.fills.record(batch([unnumbered("c1"), fill("a.01", trade_id="T1")]), RECEIVED)
    assert [(item.busted, item.revision.quantity) for item in standing(stores.fills)] == [(True, 0)]
    stores.fills.record(batch([fill("a.01", trade_id="T1", revision=2)]), RECEIVED)
    assert [item.busted for item in standing(stores.fills)] == [False]
    stores.fills.record(batch([unnumbered("c2")]), RECEIVED)
    assert [item.busted for item in standing(stores.fills)] == [True]


def test_the_statements_cancel_replaces_the_confirmations(stores: Any) -> None:
    """The same cancel under two names gives its fee back once, and the statement's numbers decide."""
    told = [unnumbered("c1"), fill("a.01", trade_id="T1", transaction_id="10")]
    told.append(fill("flex:11", kind=FillKind.CANCEL, revision=0, transaction_id="11", cancels_trade_id="T1"))
    told.append(fill("a.01", trade_id="T1", transaction_id="12", revision=2))
    fees = [fee("a.01.01", "a.01", "1"), fee("c1", "c1", "-1"), fee("flex:11", "flex:11", "-1")]
    stores.fills.record(batch(told, fees), RECEIVED)
    found = {item.revision.fill_id: item for item in standing(stores.fills)}
    assert (found["a.01"].busted, found["a.01"].fees) == (False, {"USD": Decimal(0)})


def booking(fill_id: str, number: str, source: Source, **changes: Any) -> FillRevision:
    """An expiry of trade T9, with the broker's number or without."""
    told: dict[str, Any] = {"kind": FillKind.BOOKING, "revision": 0, "exec_id": "", "price": Decimal(0)}
    return fill(fill_id, **told, trade_id="T9", transaction_id=number, source=source, **changes)


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 1, 0, 1), (1, 0, 0)])
def test_a_booking_told_first_without_and_then_with_its_number_is_one_fill(
    stores: Any, order: tuple[int, ...]
) -> None:
    """The statement's row stands with its own fee, whichever came first and however often."""
    told = [
        batch([booking("syn:1", "", Source.CONFIRMATION)], [fee("syn:1", "syn:1", "0.5")]),
        batch([booking("flex:77", "77", Source.STATEMENT)], [fee("flex:77", "flex:77", "0.5")]),
    ]
    for place in order:
        stores.fills.record(told[place], RECEIVED)
    (found,) = standing(stores.fills)
    assert (found.revision.fill_id, found.fees) == ("flex:77", {"USD": Decimal("0.5")})
    assert found.fifo_key == f"{77:020d}:flex:77"
    assert len(stores.fills.revisions(Venue.IBKR, ACCOUNT, "syn:1")) == 1


def test_a_booking_without_its_number_counts_until_the_statement_tells_it(stores: Any) -> None:
    """Nobody waits for the night: the confirmation's expiry closes the position on its own."""
    other = booking("flex:78", "78", Source.STATEMENT, account="DU2")
    rows = [booking("syn:1", "", Source.CONFIRMATION), other]
    stores.fills.record(batch(rows, [fee("syn:1", "syn:1", "0.5")]), RECEIVED)
    (found,) = standing(stores.fills)
    assert (found.revision.fill_id, found.fees) == ("syn:1", {"USD": Decimal("0.5")})


def test_bookings_without_a_trade_in_common_stay_apart(stores: Any) -> None:
    """Without a trade id nothing ties two rows: both stand rather than one be lost."""
    untied = fill("syn:2", kind=FillKind.BOOKING, exec_id="", source=Source.CONFIRMATION)
    stores.fills.record(batch([untied, booking("flex:77", "77", Source.STATEMENT)]), RECEIVED)
    assert sorted(item.revision.fill_id for item in standing(stores.fills)) == ["flex:77", "syn:2"]


def test_a_booking_told_with_its_number_touches_the_session_of_its_first_telling(stores: Any) -> None:
    """Where the two name different sessions, both are computed again and only one holds the fill."""
    later = DAY + timedelta(days=3)
    stores.fills.record(batch([booking("syn:1", "", Source.CONFIRMATION)]), RECEIVED)
    numbered = booking("flex:77", "77", Source.STATEMENT, session=later, trade_date=later)
    report = stores.fills.record(batch([numbered]), RECEIVED)
    assert set(report.touched) == {(ACCOUNT, DAY), (ACCOUNT, later)}
    assert standing(stores.fills, DAY) == []
    assert len(standing(stores.fills, later)) == 1


def test_a_numbered_booking_that_is_cancelled_and_booked_again_stands_once(stores: Any) -> None:
    """The broker takes the expiry back and books it again under the same trade: two rows, one position."""
    again = booking("flex:79", "79", Source.STATEMENT)
    cancel = fill("flex:78", kind=FillKind.CANCEL, revision=0, transaction_id="78", cancels_trade_id="T9")
    rows = [booking("syn:1", "", Source.CONFIRMATION), booking("flex:77", "77", Source.STATEMENT)]
    stores.fills.record(batch([*rows, cancel, again], [fee("flex:78", "flex:78", "-1")]), RECEIVED)
    found = {item.revision.fill_id: (item.busted, item.fees) for item in standing(stores.fills)}
    assert found == {"flex:77": (True, {"USD": Decimal(-1)}), "flex:79": (False, {})}


def test_a_cancel_touches_the_session_of_the_fill_that_it_takes_back(stores: Any) -> None:
    """The cancel is booked a session later; the day to be computed again is that of the fill."""
    later = DAY + timedelta(days=3)
    stores.fills.record(batch([fill("a.01", trade_id="T1", transaction_id="10")]), RECEIVED)
    cancel = fill(
        "flex:11",
        kind=FillKind.CANCEL,
        transaction_id="11",
        cancels_trade_id="T1",
        session=later,
        trade_date=later,
    )
    report = stores.fills.record(batch([cancel]), RECEIVED)
    assert set(report.touched) == {(ACCOUNT, DAY), (ACCOUNT, later)}


def test_a_correction_that_moves_the_fill_to_another_session_touches_both(stores: Any) -> None:
    """The fill leaves its first session, and its old place in FIFO stays its place."""
    later = DAY + timedelta(days=3)
    stores.fills.record(batch([fill("a.01")]), RECEIVED)
    moved = fill("a.01", revision=2, session=later, trade_date=later, fill_ts=NOON + timedelta(days=3))
    report = stores.fills.record(batch([moved]), RECEIVED)
    assert counts(report) == (1, 0, 0, 1, 0)
    assert set(report.touched) == {(ACCOUNT, DAY), (ACCOUNT, later)}
    assert standing(stores.fills, DAY) == []
    (found,) = standing(stores.fills, later)
    assert found.fifo_ts == NOON
    assert list(stores.fills.sessions_with_fills(Venue.IBKR, ACCOUNT, DAY, later)) == [DAY, later]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_statement_wins_over_the_live_stream_in_any_order(stores: Any, order: tuple[int, ...]) -> None:
    """Of one revision the statement's word counts; of two revisions the higher one, whoever tells it."""
    told = [
        fill("a.01", source=Source.LIVE, price=Decimal("0.70")),
        fill("a.01", source=Source.STATEMENT, price=Decimal("0.71")),
        fill("a.01", source=Source.LIVE, revision=2, price=Decimal("0.72")),
    ]
    for place in order[:2]:
        stores.fills.record(batch([told[place]]), RECEIVED)
    (found,) = standing(stores.fills)
    assert found.revision == told[max(order[:2])]
    stores.fills.record(batch([told[order[2]]]), RECEIVED)
    (found,) = standing(stores.fills)
    assert found.revision == told[2]


@pytest.mark.parametrize(
    ("known", "told", "outcome"),
    [
        ({}, {"source": Source.STATEMENT}, "duplicates"),
        ({}, {"source": Source.STATEMENT, "price": Decimal("0.74")}, "corrected"),
        ({}, {"side": Side.SELL}, "corrected"),
        ({}, {"revision": 2}, "corrected"),
        ({"revision": 2}, {"revision": 1}, "duplicates"),
        ({"revision": 2}, {"revision": 1, "quantity": Decimal(3)}, "corrected"),
        ({}, {"fill_id": "b.01"}, "new"),
    ],
)
def test_each_row_is_counted_for_what_it_is(
    stores: Any, known: dict[str, Any], told: dict[str, Any], outcome: str
) -> None:
    """Known in the warehouse or earlier in the batch makes no difference to the count."""
    stores.fills.record(batch([fill(**known)]), RECEIVED)
    report = stores.fills.record(batch([fill(**told)]), RECEIVED)
    assert getattr(report, outcome) == 1
    assert report.total == 1


@pytest.mark.parametrize(
    ("second", "outcome"),
    [
        ({}, (2, 1, 1, 0, 0)),
        ({"raw": "{}"}, (2, 1, 1, 0, 0)),
        ({"revision": 2}, (2, 1, 0, 1, 0)),
        ({"quantity": Decimal(3)}, (2, 1, 0, 1, 0)),
    ],
)
def test_a_fill_told_twice_in_one_batch_is_counted_once_as_new(
    stores: Any, second: dict[str, Any], outcome: tuple[int, ...]
) -> None:
    """A repeat within the batch is a duplicate, another version of it is a correction."""
    assert counts(stores.fills.record(batch([fill(), fill(**second)]), RECEIVED)) == outcome


def test_refused_rows_count_and_what_is_beside_a_trade_does_not(stores: Any) -> None:
    """total = new + duplicates + corrected + rejected, over trade rows."""
    refused = [
        RejectedRow(venue=Venue.IBKR, source=Source.LIVE, reason="no time", payload="<Trade/>"),
        RejectedRow(
            venue=Venue.IBKR, source=Source.LIVE, reason="no id", payload="<Cash/>", is_trade_row=False
        ),
    ]
    assert counts(stores.fills.record(batch([fill()], rejected=refused), RECEIVED)) == (2, 1, 0, 0, 1)


def test_fees_come_before_after_twice_or_never(stores: Any) -> None:
    """The fee of a fill is the sum over its keys; at one key the statement replaces the live report."""
    stores.fills.record(
        batch([], [fee("a.01.01", "a.01", "1.00", source=Source.LIVE, session=None)]), RECEIVED
    )
    stores.fills.record(batch([fill("a.01"), fill("b.01")]), RECEIVED)
    stores.fills.record(batch([], [fee("a.01.01", "a.01", "1.05")] * 2), RECEIVED)
    stores.fills.record(batch([], [fee("a.01.01#tax", "a.01", "0.02", currency="CHF")]), RECEIVED)
    stores.fills.record(
        batch([], [fee("a.01.01", "a.01", "1.00", source=Source.LIVE, session=None)]), RECEIVED
    )
    found = {item.revision.fill_id: dict(item.fees) for item in standing(stores.fills)}
    assert found == {"a.01": {"USD": Decimal("1.05"), "CHF": Decimal("0.02")}, "b.01": {}}


def test_427_arrivals_of_55_fills_are_55_rows_at_their_own_times(stores: Any) -> None:
    """A venue that repeats itself for a day leaves each fill once, at the time it was executed."""
    rng = random.Random(427)
    fills = [fill(f"f{n}", fill_ts=NOON + timedelta(seconds=37 * n), raw=f'{{"n":{n}}}') for n in range(55)]
    arrivals = fills + rng.choices(fills, k=427 - 55)
    rng.shuffle(arrivals)
    totals = [0] * 5
    for start in range(0, len(arrivals), 61):
        report = stores.fills.record(batch(arrivals[start : start + 61]), RECEIVED)
        totals = [a + b for a, b in zip(totals, counts(report), strict=True)]
    assert totals == [427, 55, 372, 0, 0]
    assert [(item.revision.fill_id, item.revision.fill_ts) for item in standing(stores.fills)] == [
        (told.fill_id, told.fill_ts) for told in fills
    ]


def test_accounts_are_those_that_have_fills(stores: Any) -> None:
    """Two accounts, one venue each."""
    stores.fills.record(batch([fill("a.01"), fill("a.01", account="DU2")]), RECEIVED)
    stores.fills.record(batch([fill("k", venue=Venue.KALSHI)], venue=Venue.KALSHI), RECEIVED)
    assert set(stores.fills.accounts()) == {
        (Venue.IBKR, ACCOUNT),
        (Venue.IBKR, "DU2"),
        (Venue.KALSHI, ACCOUNT),
    }


def test_an_empty_batch_is_nothing(stores: Any) -> None:
    """No rows, no times, nothing touched."""
    report = stores.fills.record(batch(), RECEIVED)
    assert counts(report) == (0, 0, 0, 0, 0)
    assert (report.first_fill_at, report.touched) == (None, ())
    assert list(stores.fills.fills(Venue.IBKR, ACCOUNT, ())) == []


def arrivals_with_corrections(rng: random.Random) -> list[FillBatch]:
    """Every fill by several sources, some corrected, some cancelled, repeats everywhere, in any order."""
    rows: list[FillRevision] = []
    fees = []
    for n in range(12):
        base: dict[str, Any] = {"trade_id": f"T{n}", "fill_ts": NOON + timedelta(seconds=n % 5)}
        rows.append(fill(f"f{n}", **base))
        rows.append(fill(f"f{n}", source=Source.STATEMENT, transaction_id=str(100 + 10 * n), **base))
        fees.append(fee(f"f{n}.01", f"f{n}", f"1.{n:02d}"))
        if n % 3 == 0:
            rows.append(cancel_of(n, 101 + 10 * n))
        if n % 6 == 0:
            rows.append(
                fill(
                    f"f{n}",
                    revision=2,
                    quantity=Decimal(1),
                    source=Source.STATEMENT,
                    transaction_id=str(102 + 10 * n),
                    **base,
                )
            )
            fees.append(fee(f"f{n}.02", f"f{n}", "-0.3333"))
    rows += rng.choices(rows, k=20)
    rng.shuffle(rows)
    rng.shuffle(fees)
    cuts = sorted(rng.sample(range(1, len(rows)), 3))
    parts = [rows[a:b] for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    return [batch(part, fees if place == 1 else []) for place, part in enumerate(parts)]


def cancel_of(n: int, number: int) -> FillRevision:
    """The cancel of fill n."""
    return fill(
        f"flex:{number}",
        kind=FillKind.CANCEL,
        revision=0,
        transaction_id=str(number),
        cancels_trade_id=f"T{n}",
        source=Source.STATEMENT,
    )


def test_shuffled_replays_end_in_one_state(stores: Any) -> None:
    """In any order, cut and repeat the same fills stand: corrected ones at 1, cancelled ones at 0."""
    rng = random.Random(7)
    for told in arrivals_with_corrections(rng):
        stores.fills.record(told, RECEIVED)
    first = standing(stores.fills)
    for told in arrivals_with_corrections(rng):
        stores.fills.record(told, RECEIVED)
    assert standing(stores.fills) == first
    assert {item.revision.fill_id: int(item.revision.quantity) for item in first} == {
        f"f{n}": 1 if n % 6 == 0 else 0 if n % 3 == 0 else 2 for n in range(12)
    }
    assert {item.revision.fill_id for item in first if item.busted} == {"f3", "f9"}


def test_a_row_that_no_column_holds_goes_to_the_dead_letter_alone(warehouse: Warehouse) -> None:
    """Its neighbors are stored, it is counted as rejected, and the file comes through."""
    store = ClickHouseFillStore(warehouse)
    huge = fill("big", quantity=Decimal(9) * 10**24, price=Decimal(9) * 10**24)
    torn = fill("torn", raw='{"name":"\ud800"}')
    for _ in range(2):
        report = store.record(batch([huge, fill("a.01"), torn]), RECEIVED)
        assert (report.total, report.new + report.duplicates, report.rejected) == (3, 1, 2)
    assert [item.revision.fill_id for item in standing(store)] == ["a.01"]


def test_a_large_batch_is_guessed_to_be_a_repeat_by_a_sample(warehouse: Warehouse) -> None:
    """New rows look new, a repeat looks known, and half a repeat is judged row by row all the same."""
    store = ClickHouseFillStore(warehouse)
    rows = [fill(f"f{n}", fill_ts=NOON + timedelta(seconds=n)) for n in range(400)]
    assert not store._looks_known(told_fills([batch(rows)]))
    store.record(batch(rows[:200]), RECEIVED)
    assert store._looks_known(told_fills([batch(rows[:200])]))
    assert counts(store.record(batch(rows), RECEIVED)) == (400, 200, 200, 0, 0)
