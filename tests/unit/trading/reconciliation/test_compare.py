"""The comparison of one session, one difference at a time: where it arises it is told, and only there."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from pnl_samples import CALL, FRIDAY, fill, named, run

from trading.model.fills import Fill, Source, Venue
from trading.model.instruments import CurrencyPair
from trading.model.statements import CashBalance, DetailLevel, StatementPosition
from trading.reconciliation.breaks import Break, BreakKind, BreakState, Pass
from trading.reconciliation.compare import compare
from trading.reconciliation.compare_cash import debited_elsewhere
from trading.reconciliation.match import match_fills
from trading.reconciliation.records import BrokerRecord, OurRecord

ROUND_TRIP = [
    fill(1, 1, "1.06", fee="0.85", open_close="O"),
    fill(2, -1, "1.44", fee="0.77", open_close="C", broker_realized=Decimal("36.38")),
]
TWO = replace(ROUND_TRIP[0], revision=replace(ROUND_TRIP[0].revision, quantity=Decimal(2)))


def _found(
    ours: Sequence[Fill],
    theirs: Sequence[Fill],
    *,
    elsewhere: Sequence[Fill] | None = None,
    positions: Sequence[StatementPosition] | None = None,
    cash: Sequence[CashBalance] | None = None,
    made_in: Pass = Pass.FINAL,
) -> list[Break]:
    book, result = run(ours)
    mine = OurRecord(
        result=result,
        fills=ours,
        book=book,
        elsewhere=elsewhere,
        first_session=FRIDAY,
        period_fills=ours,
        known_fills=ours,
        cash_moved={entry.currency: entry.balance for entry in result.cash},
    )
    broker = BrokerRecord(
        venue=Venue.IBKR,
        account="U1",
        session=FRIDAY,
        made_in=made_in,
        fills=theirs,
        positions=positions,
        cash=cash,
        rates_to_base={"USD": Decimal(1)},
    )
    return list(compare(mine, broker).breaks)


def _live(told: Fill, **changes: object) -> Fill:
    return named(told, source=Source.LIVE, **changes)


def _position(quantity: int, **changes: object) -> StatementPosition:
    told: dict[str, object] = {
        "account": "U1",
        "report_date": FRIDAY,
        "instrument": CALL,
        "conid": 1001,
        "level": DetailLevel.SUMMARY,
        "quantity": Decimal(quantity),
        "multiplier": Decimal(100),
        "currency": "USD",
        "mark_price": Decimal(1),
        "cost_basis": None,
    }
    return StatementPosition(**{**told, **changes})  # type: ignore[arg-type]


def test_equal_books_have_no_break() -> None:
    """The plain case, position and cash included."""
    ending = CashBalance(
        account="U1",
        from_date=FRIDAY,
        to_date=FRIDAY,
        currency="USD",
        starting=Decimal(0),
        ending=Decimal("36.38"),
    )
    assert _found(ROUND_TRIP, ROUND_TRIP, elsewhere=ROUND_TRIP, positions=[], cash=[ending]) == []


@pytest.mark.parametrize(("gap", "count"), [("0.0049", 0), ("0.005", 1), ("-0.01", 1)])
def test_half_a_cent_is_the_bar(gap: str, count: int) -> None:
    """Per contract and day; the difference is ours less theirs."""
    told = [ROUND_TRIP[0], named(ROUND_TRIP[1], broker_realized=Decimal("36.38") + Decimal(gap))]
    found = _found(ROUND_TRIP, told)
    assert [(item.kind, item.difference) for item in found] == [(BreakKind.REALIZED, -Decimal(gap))] * count


def test_an_extra_fill_is_one_break_and_not_four() -> None:
    """Its quantity, commission and position follow from it and are not told again."""
    found = _found([*ROUND_TRIP, _live(fill(3, 5, 1))], ROUND_TRIP, positions=[])
    assert [(item.kind, item.difference, item.difference_base) for item in found] == [
        (BreakKind.EXTRA_FILL, 5, 500)
    ]


def test_an_evening_does_not_call_a_fill_extra() -> None:
    """Confirmations come minutes after the fills; only the statement must know all."""
    assert _found([*ROUND_TRIP, fill(3, 5, 1)], ROUND_TRIP, made_in=Pass.PROVISIONAL) == []


def test_a_fill_that_only_the_statement_told_is_back_filled_and_explained() -> None:
    """It is in the books already, by the statement's word."""
    found = _found(ROUND_TRIP, ROUND_TRIP, elsewhere=[ROUND_TRIP[0]])
    assert [(item.kind, item.difference, item.cause) for item in found] == [
        (BreakKind.MISSING_FILL, 1, "backfilled")
    ]


def test_a_rebate_told_as_a_cost_is_named_by_its_sign() -> None:
    """Same amount, other sign."""
    rebate = fill(1, 1, 1, fee="-0.25")
    cost = replace(rebate, fees={"USD": Decimal("0.25")})
    found = _found([rebate], [rebate], elsewhere=[cost])
    assert [(item.kind, item.difference) for item in found] == [(BreakKind.COMMISSION, Decimal("0.5"))]
    assert "rebate" in found[0].note


@pytest.mark.parametrize(
    ("field", "value", "kind", "difference"),
    [
        ("multiplier", Decimal(10), BreakKind.MULTIPLIER, Decimal(-90)),
        ("price", Decimal("1.07"), BreakKind.PRICE, Decimal("0.01")),
        ("quantity", Decimal(2), BreakKind.QUANTITY, Decimal(1)),
    ],
)
def test_sources_that_tell_one_revision_differently_are_a_break(
    field: str, value: Decimal, kind: BreakKind, difference: Decimal
) -> None:
    """The statement is in the books; that live said otherwise must be seen."""
    found = _found(ROUND_TRIP, ROUND_TRIP, elsewhere=[_live(ROUND_TRIP[0], **{field: value}), ROUND_TRIP[1]])
    assert [(item.kind, item.difference) for item in found] == [(kind, difference)]


def test_a_higher_revision_is_a_correction_and_no_difference() -> None:
    """Live told the first version, the statement the corrected one."""
    corrected = named(ROUND_TRIP[0], revision=2, price=Decimal("1.05"))
    assert _found([corrected], [corrected], elsewhere=[ROUND_TRIP[0]]) == []


def test_a_statements_own_money_betrays_a_wrong_multiplier() -> None:
    """Quantity, price and net cash say 100 where the row says 10."""
    row = fill(1, 2, 3, fee=1, multiplier=Decimal(10), broker_net_cash=Decimal(-601))
    found = _found([row], [row])
    assert [(item.kind, item.ours, item.theirs) for item in found] == [(BreakKind.MULTIPLIER, 10, 100)]


def test_a_position_that_is_not_ours_is_open_and_sized_by_its_mark() -> None:
    """Nothing explains it."""
    found = _found([], [], positions=[_position(3)])
    assert [(item.kind, item.difference, item.difference_base, item.state) for item in found] == [
        (BreakKind.POSITION, -3, 300, BreakState.OPEN)
    ]


def test_lot_rows_and_their_summary_are_never_added() -> None:
    """Two lots of one and a summary of two are two."""
    rows = [_position(1, level=DetailLevel.LOT), _position(1, level=DetailLevel.LOT), _position(2)]
    assert _found([TWO], [TWO], positions=rows) == []


def test_a_cost_basis_off_by_a_cent_is_named() -> None:
    """Two at 1.06 and a fee of 0.85 cost 212.85."""
    found = _found([TWO], [TWO], positions=[_position(2, cost_basis=Decimal("212.84"))])
    assert [(item.kind, item.difference) for item in found] == [(BreakKind.COST_BASIS, Decimal("0.01"))]


def test_cash_counts_the_movement_of_the_statements_period() -> None:
    """Starting balance plus ours against the ending."""
    balance = CashBalance(
        account="U1",
        from_date=FRIDAY,
        to_date=FRIDAY,
        currency="USD",
        starting=Decimal(10),
        ending=Decimal("46.30"),
    )
    found = _found(ROUND_TRIP, ROUND_TRIP, cash=[balance])
    assert [(item.kind, item.difference, item.cause) for item in found] == [
        (BreakKind.CASH, Decimal("0.08"), "")
    ]


def test_conversions_debited_elsewhere_are_found_by_their_exact_sum() -> None:
    """Of three fees in francs on dollar pairs two add up; a pair quoted in francs is not looked at."""
    dollars, francs = CurrencyPair(base="CHF", quote="USD"), CurrencyPair(base="USD", quote="CHF")
    fills = [
        fill(number, 1, 1, pair, fees={"CHF": Decimal(fee)})
        for number, (pair, fee) in enumerate(
            [(dollars, "1.10"), (dollars, "1.20"), (dollars, "1.40"), (francs, "7.00")], start=1
        )
    ]
    assert debited_elsewhere(fills, "CHF", Decimal("2.50")) == ("f1", "f3")
    assert debited_elsewhere(fills, "CHF", Decimal("2.49")) == ()
    assert debited_elsewhere(fills, "CHF", Decimal("7.00")) == ()


def test_equal_fills_without_common_ids_are_matched_one_to_one() -> None:
    """Two equal partial fills stay two."""
    ours = [
        named(fill(1, 1, 1), fill_ts=ROUND_TRIP[0].revision.fill_ts, fill_id=name) for name in ("a", "b", "c")
    ]
    theirs = [
        named(fill(1, 1, 1), fill_ts=ROUND_TRIP[0].revision.fill_ts, fill_id=name) for name in ("x", "y")
    ]
    matched = match_fills(ours, theirs)
    assert (len(matched.pairs), len(matched.only_ours), len(matched.only_theirs)) == (2, 1, 0)
