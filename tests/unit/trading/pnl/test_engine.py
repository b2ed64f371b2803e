"""The engine's rules on single sessions: what closes what, who bears which fee, and what realizes."""

from datetime import timedelta
from decimal import Decimal

import pytest
from pnl_samples import (
    CALL,
    COIN,
    FRIDAY,
    MONDAY,
    NOON,
    PUT,
    RAIN,
    SHARE,
    booking,
    fill,
    named,
    realized,
    run,
)

from trading.errors import InvalidFieldError
from trading.model.fills import Venue
from trading.model.instruments import CurrencyPair, Future
from trading.model.statements import CashFlow, DetailLevel
from trading.pnl.book import Book, Direction, MatchKind, Origin
from trading.settings import LotMethod

EURO = CurrencyPair(base="EUR", quote="USD")


def test_realized_is_net_of_both_commissions_and_the_opening_fee_sits_in_the_lot() -> None:
    """(1.44 - 1.06) x 100, less the opening's and the closing's fee."""
    book, result = run([fill(1, 1, "1.06", fee="0.8453"), fill(2, -1, "1.44", fee="0.7735564")])
    assert realized(result) == [Decimal("36.3811436")]
    assert result.matches[0].gross_realized == 38
    assert book.lots == ()


def test_a_partial_close_takes_its_share_of_the_fee_and_the_last_part_the_remainder() -> None:
    """A fee of 1 over three contracts: 0.333333333 twice, and what is left."""
    _, result = run([fill(1, 3, 1, fee=1), *(fill(number, -1, 1) for number in (2, 3, 4))])
    fees = [match.open_fee for match in result.matches]
    assert fees == [Decimal("0.333333333"), Decimal("0.333333333"), Decimal("0.333333334")]


def test_a_rebate_splits_like_a_cost_with_its_sign() -> None:
    """A fee of minus one stays a rebate in every part."""
    _, result = run([fill(1, 3, 1, fee=-1), fill(2, -2, 1), fill(3, -1, 1)])
    assert [match.open_fee for match in result.matches] == [Decimal("-0.666666666"), Decimal("-0.333333334")]
    assert sum(realized(result)) == 1


def test_a_flip_through_zero_closes_and_opens_with_its_fee_split() -> None:
    """Long 2, sell 5: two are closed, three are short, the fee goes with them."""
    book, result = run([fill(1, 2, 1), fill(2, -5, 2, fee=5)])
    assert realized(result) == [Decimal(198)]
    lot = book.lots[0]
    assert (lot.direction, lot.open_quantity, lot.left.fee) == (Direction.SHORT, 3, 3)


def test_a_short_closed_higher_loses() -> None:
    """Sold at 1, bought back at 1.5."""
    _, result = run([fill(1, -1, 1), fill(2, 1, "1.5")])
    assert realized(result) == [-50]
    assert result.matches[0].direction is Direction.SHORT


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (LotMethod.FIFO, [100, 0]),
        (LotMethod.LIFO, [0, 100]),
        (LotMethod.AVERAGE, [50, 50]),
    ],
)
def test_the_method_chooses_the_lot(method: LotMethod, expected: list[int]) -> None:
    """Bought at 1 and at 2, sold one by one at 2."""
    _, result = run([fill(1, 1, 1), fill(2, 1, 2), fill(3, -1, 2), fill(4, -1, 2)], method=method)
    assert realized(result) == expected


def test_average_cost_cuts_toward_zero_and_the_last_close_takes_the_remainder() -> None:
    """A pool of three that cost 100.000000001 in all, closed one by one."""
    fills = [fill(1, 2, 0, SHARE), fill(2, 1, "100.000000001", SHARE)]
    _, result = run([*fills, *(fill(number, -1, 0, SHARE) for number in (3, 4, 5))], method=LotMethod.AVERAGE)
    assert [-value for value in realized(result)] == [
        Decimal("33.333333333"),
        Decimal("33.333333334"),
        Decimal("33.333333334"),
    ]


def test_fifo_goes_by_execution_time_then_by_the_brokers_number_not_by_arrival() -> None:
    """Two fills of one second: transaction 9 comes before 10 although it is told later."""
    early = named(fill(9, 1, 1), fill_ts=NOON)
    late = named(fill(10, 1, 2), fill_ts=NOON)
    same_second = [
        type(item)(revision=item.revision, fees={}, fifo_ts=NOON, fifo_key=item.fifo_key)
        for item in (late, early)
    ]
    _, result = run([fill(50, -1, 3), *same_second])
    assert result.matches[0].open_fill_id == "f9"


def test_the_multiplier_of_the_row_counts() -> None:
    """A multiplier of 10 makes a tenth."""
    _, result = run([fill(1, 1, 1, multiplier=Decimal(10)), fill(2, -1, 2, multiplier=Decimal(10))])
    assert realized(result) == [10]


def test_worthless_expiry_closes_at_zero_and_realizes() -> None:
    """Two lots of one expiry: both premiums and both fees are lost."""
    _, result = run(
        [fill(1, 1, "0.10", fee="0.7873"), fill(2, 1, "0.16", fee="0.7873"), booking(3, -2, 0, CALL, "Ep")]
    )
    assert sum(realized(result)) == Decimal("-27.5746")
    assert {match.kind for match in result.matches} == {MatchKind.EXPIRY}


def test_cash_settlement_at_intrinsic_value_realizes() -> None:
    """An index option booked Ex at a price, without shares."""
    _, result = run([fill(1, 1, 2, fee=1), booking(2, -1, 5, CALL, "Ex")])
    assert realized(result) == [299]
    assert result.matches[0].kind is MatchKind.CASH_SETTLEMENT


def test_exercise_realizes_nothing_and_moves_premium_and_fee_into_the_shares() -> None:
    """Four calls at 0.25 exercised at 11.5: 400 shares cost 4,600 + 100 + the fee."""
    book, result = run(
        [
            fill(1, 4, "0.25", fee=2),
            booking(3, 400, "11.5", SHARE, "Ex"),
            booking(4, -4, 0, CALL, "Ex"),
        ]
    )
    assert realized(result) == [0]
    assert result.matches[0].premium_moved == 102
    assert [(lot.contract.symbol, lot.basis) for lot in book.lots] == [("CLF", 4702)]


def test_an_assigned_put_lowers_the_cost_of_the_shares_by_what_it_brought() -> None:
    """A put sold at 0.5 and assigned at 7.5: 100 shares for 750 less 49."""
    book, _ = run(
        [fill(1, -1, "0.5", PUT, fee=1), booking(2, 1, 0, PUT, "A"), booking(3, 100, "7.5", SHARE, "A")]
    )
    assert [lot.basis for lot in book.lots] == [701]


def test_an_assigned_covered_call_adds_its_premium_to_the_sale() -> None:
    """100 shares of 10 called away at 11.5 for a call sold at 1."""
    _, result = run(
        [
            fill(1, 100, 10, SHARE),
            fill(2, -1, 1, CALL),
            booking(3, 1, 0, CALL, "A"),
            booking(4, -100, "11.5", SHARE, "A"),
        ]
    )
    assert sum(realized(result)) == 250
    assert [match.kind for match in result.matches] == [MatchKind.ASSIGNMENT, MatchKind.DELIVERY]


def test_two_assignments_of_one_day_are_tied_by_their_action_ids() -> None:
    """Equal terms, other premiums: the action id says which shares belong to which option row."""
    book, _ = run(
        [
            fill(1, -1, 1, PUT),
            fill(2, -1, 3, PUT),
            booking(3, 1, 0, PUT, "A", action_id="X"),
            booking(4, 1, 0, PUT, "A", action_id="Y"),
            booking(5, 100, "7.5", SHARE, "A", action_id="Y"),
            booking(6, 100, "7.5", SHARE, "A", action_id="X"),
        ]
    )
    assert {lot.open_fill_id: lot.basis for lot in book.lots} == {"f5": 450, "f6": 650}


def test_a_delivery_told_a_session_late_still_takes_the_premium() -> None:
    """The option leg on Friday, the shares on Monday."""
    friday, first = run([fill(1, 4, "0.25"), booking(2, -4, 0, CALL, "Ex")])
    assert realized(first) == [0]
    assert [item.premium for item in friday.pending] == [100]
    monday, _ = run([booking(3, 400, "11.5", SHARE, "Ex", session=MONDAY)], friday, session=MONDAY)
    assert monday.pending == ()
    assert [lot.basis for lot in monday.lots] == [4700]


def test_a_closing_without_an_opening_is_missing_history_and_not_a_short_position() -> None:
    """The broker says it closed; what comes later opens anew."""
    book, result = run([booking(1, -4, 0, PUT, "Ep", open_close="C"), fill(2, 1, 1, PUT, open_close="O")])
    assert result.matches == ()
    assert [(lot.origin, lot.signed_quantity) for lot in book.lots] == [
        (Origin.MISSING_HISTORY, -4),
        (Origin.FILL, 1),
    ]
    assert result.daily[0].unrealized is None


def test_without_the_brokers_word_an_oversold_position_is_short() -> None:
    """Live executions do not say whether they close."""
    book, _ = run([fill(1, -4, 1)])
    assert [lot.origin for lot in book.lots] == [Origin.FILL]


def test_a_bust_of_quantity_zero_moves_nothing_but_its_fee() -> None:
    """The history of the fill stays elsewhere; its fee stays a cost in cash."""
    book, result = run([fill(1, 0, 1, fee="1.01")])
    assert (book.lots, result.matches, book.cash) == ((), (), {"USD": Decimal("-1.01")})


def test_an_inverse_perpetual_pays_in_the_coin() -> None:
    """1,000 contracts of a dollar from 50,000 to 40,000 lose 0.005 of the coin."""
    _, result = run(
        [fill(1, 1000, 50000, COIN, fees={"XBT": Decimal("0.00001")}), fill(2, -1000, 40000, COIN)]
    )
    assert realized(result) == [Decimal("-0.00501")]
    assert {row.contract.currency for row in result.daily} == {"XBT"}


def test_a_future_moves_cash_only_when_it_realizes() -> None:
    """No notional changes hands."""
    future = Future(
        symbol="ES", expiry=FRIDAY, multiplier=Decimal(50), exchange="CME", local_symbol="ESU6", conid=3
    )
    first, _ = run([fill(1, 1, 5000, future, fee=2)])
    last, _ = run([fill(2, -1, 5010, future, fee=2, session=MONDAY)], first, session=MONDAY)
    assert (first.cash["USD"], last.cash["USD"]) == (-2, 496)


def test_an_event_contract_settles_at_one_without_a_fill_of_ours() -> None:
    """YES at 0.40 settles at 1; NO at 0.30 is a short YES at 0.70 and pays its own stake back."""
    yes, result = run(
        [fill(1, 10, "0.40", RAIN), booking(2, -10, 1, RAIN, "Settled")],
    )
    assert realized(result) == [6]
    assert yes.cash == {"USD": Decimal("6.00")}
    bought, _ = run([fill(1, -10, "0.70", RAIN)])
    assert bought.cash == {"USD": Decimal("-3.00")}
    settled, _ = run([booking(2, 10, 0, RAIN, "Settled", session=MONDAY)], bought, session=MONDAY)
    assert settled.cash == {"USD": Decimal("7.00")}


def test_a_conversion_holds_cash_and_no_position() -> None:
    """Euros in, dollars out, the fee in a third currency; no lot, no realized figure."""
    book, result = run([fill(1, 244, "1.1", EURO, fees={"CHF": Decimal("1.58564")})])
    assert book.cash == {"EUR": 244, "USD": Decimal("-268.4"), "CHF": Decimal("-1.58564")}
    assert (book.lots, result.daily) == ((), ())


def test_a_conversions_own_amount_is_taken_within_its_rounding_and_no_further() -> None:
    """Quantity and price of the row are rounded; an amount that does not follow from them is not believed."""
    near = named(fill(1, "-0.00363967", "0.89748068", EURO), raw='{"proceeds":"0.003266537"}')
    far = named(fill(2, "-0.00363967", "0.89748068", EURO), raw='{"proceeds":"5"}')
    assert run([near])[0].cash["USD"] == Decimal("0.003266537")
    assert run([far])[0].cash["USD"] == Decimal("0.003266534")


def test_cash_flows_and_opening_balances_are_entries_with_a_running_balance() -> None:
    """Opening 100, a deposit of 50, a fee of 2."""
    flow = CashFlow(
        account="U1",
        report_date=FRIDAY,
        settle_date=None,
        currency="USD",
        amount=Decimal(50),
        kind="Deposits/Withdrawals",
        level=DetailLevel.DETAIL,
        transaction_id="7",
    )
    _, result = run([fill(1, 1, 0, fee=2)], opening_cash={"USD": Decimal(100)}, cash_flows=[flow])
    assert [(entry.kind, entry.balance) for entry in result.cash] == [
        ("opening", 100),
        ("fee", 98),
        ("Deposits/Withdrawals", 148),
    ]


def test_a_fee_in_another_currency_stays_out_of_the_lot_and_reaches_the_cash() -> None:
    """P&L in dollars is not net of francs."""
    book, result = run([fill(1, 1, 1, fees={"CHF": Decimal(3)}), fill(2, -1, 2)])
    assert realized(result) == [100]
    assert book.cash["CHF"] == -3


def test_unrealized_follows_the_mark_and_is_unknown_without_one() -> None:
    """(1.5 - 1) x 100 less the fee in the lot."""
    fills = [fill(1, 1, 1, fee=1)]
    _, marked = run(fills, marks={CALL.instrument_id: Decimal("1.5")}, rates_to_base={"USD": Decimal("0.9")})
    _, unmarked = run(fills)
    assert (marked.daily[0].unrealized, marked.daily[0].fx_rate_to_base) == (49, Decimal("0.9"))
    assert unmarked.daily[0].unrealized is None


def test_strategies_of_one_netted_account_add_up_to_its_position() -> None:
    """The opening's strategy carries the result; quantities belong to who traded."""
    fills = [fill(1, 2, 1, strategy="moc"), fill(2, 1, 2), fill(3, -2, 3, strategy="zero_dte")]
    book, result = run(fills)
    rows = {row.strategy: row for row in result.daily}
    assert sum(row.position_end for row in rows.values()) == book.position(CALL.instrument_id) == 1
    assert (rows["moc"].realized, rows["unattributed"].position_end) == (400, 1)
    assert rows["zero_dte"].quantity_sold == 2


def test_a_session_never_goes_back() -> None:
    """A book of Monday refuses Friday, and names the session."""
    monday = Book(venue=Venue.IBKR, account="U1", session=MONDAY)
    with pytest.raises(InvalidFieldError, match="session"):
        run([], monday, session=MONDAY - timedelta(days=3))


def test_amounts_beyond_28_digits_are_not_rounded() -> None:
    """The default decimal context would lose the last places."""
    book, _ = run([fill(1, "12345678901234567890", "1.000000001", SHARE)])
    assert book.cash["USD"] == Decimal("-12345678913580246791.234567890")
