"""The real statements, read: counts, identities, quantities, commissions and cash as SOURCE.md has them."""

from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.ibkr.flex import parse_flex
from trading.model.fills import FillKind, FillRevision, Source, precedence
from trading.model.money import ZERO
from trading.model.statements import BrokerStatement, DetailLevel, StatementKind


def read_recorded(shared_data: Path, name: str) -> BrokerStatement:
    data = (shared_data / "ibkr-flex" / name).read_bytes()
    (statement,) = parse_flex(data, name)
    return statement


@pytest.fixture(scope="module")
def activity(shared_data: Path) -> BrokerStatement:
    return read_recorded(shared_data, "activity.xml")


@pytest.fixture(scope="module")
def today(shared_data: Path) -> BrokerStatement:
    return read_recorded(shared_data, "today.xml")


@pytest.fixture(scope="module")
def annual(shared_data: Path) -> BrokerStatement:
    return read_recorded(shared_data, "annual-2025.xml")


def standing(statement: BrokerStatement) -> dict[str, FillRevision]:
    """The fills that stand: highest revision of each id, cancels left out."""
    fills: dict[str, FillRevision] = {}
    for fill in statement.batch.fills:
        if fill.kind is not FillKind.CANCEL:
            before = fills.get(fill.fill_id)
            fills[fill.fill_id] = fill if before is None else max(before, fill, key=precedence)
    return fills


def test_activity_has_every_row_and_warns_about_nothing(activity: BrokerStatement) -> None:
    """24 trade rows, 5 option events, none refused, no name unknown."""
    assert (len(activity.batch.fills), activity.batch.total_rows) == (24, 24)
    assert len(activity.option_events) == 5
    assert (activity.batch.rejected, activity.batch.warnings, activity.unknown_fields) == ((), (), ())
    assert (activity.kind, activity.account) == (StatementKind.ACTIVITY, "DU1234567")


def test_the_corrected_trade_is_one_and_one_instead_of_two(activity: BrokerStatement) -> None:
    """CZR 30 C: bought 2, cancelled, booked as 1 under the next revision and 1 under another id."""
    rows = [
        fill for fill in activity.batch.fills if fill.instrument.instrument_id == "OPT:CZR   260821C00030000"
    ]
    assert [(fill.fill_id, fill.revision, fill.kind, fill.signed_quantity) for fill in rows] == [
        ("0001938c.6a59af42.01", 1, FillKind.TRADE, 2),
        ("flex:10651118319", 0, FillKind.CANCEL, -2),
        ("0001938c.6a59af42.01", 2, FillKind.TRADE, 1),
        ("0001938c.6a59af4e.01", 1, FillKind.TRADE, 1),
    ]
    assert sum(fill.signed_quantity for fill in standing(activity).values() if fill.conid == 893396239) == 2
    assert rows[1].cancels_trade_id == rows[0].trade_id == rows[2].trade_id == "1786699376"


def test_commissions_of_a_correction_add_up(activity: BrokerStatement) -> None:
    """The four rows of the corrected order cost 1.3666 + 0 - 0.3333 + 0.3333, each under a key of its own."""
    fees = {
        fact.commission_key: fact.amount
        for fact in activity.batch.commissions
        if fact.commission_key.startswith(("0001938c.6a59af42", "0001938c.6a59af4e", "flex:10651118319"))
    }
    assert fees == {
        "0001938c.6a59af42.01.01": Decimal("1.3666"),
        "flex:10651118319": Decimal(0),
        "0001938c.6a59af42.01.02": Decimal("-0.3333"),
        "0001938c.6a59af4e.01.01": Decimal("0.3333"),
    }
    assert sum(fees.values()) == Decimal("1.3666")


def test_bookings_have_ids_and_tie_to_their_option_event(activity: BrokerStatement) -> None:
    """Each expiry and exercise is named by its row and has the trade id of an OptionEAE row."""
    bookings = [fill for fill in activity.batch.fills if fill.kind is FillKind.BOOKING]
    assert [fill.notes for fill in bookings].count(("Ep",)) == 3
    assert [fill.notes for fill in bookings].count(("Ex",)) == 2
    assert all(fill.fill_id == f"flex:{fill.transaction_id}" for fill in bookings)
    assert {fill.trade_id for fill in bookings} == {event.trade_id for event in activity.option_events}
    realized = {event.trade_id: event.realized for event in activity.option_events if event.realized}
    assert realized == {
        "1787168394": Decimal("-27.5746"),
        "1787185242": Decimal("-17.5746"),
        "1792905223": Decimal("-12.63092"),
    }


def test_no_two_fills_share_an_id_but_versions_of_one(activity: BrokerStatement) -> None:
    """23 ids for 24 rows: only the corrected execution has two."""
    times = Counter(fill.fill_id for fill in activity.batch.fills)
    assert {fill_id for fill_id, count in times.items() if count > 1} == {"0001938c.6a59af42.01"}


def test_confirmations_are_read_by_their_own_names(today: BrokerStatement) -> None:
    """7 rows with id, order, price, commission and codes; the source is the confirmation."""
    assert (len(today.batch.fills), len(today.batch.rejected)) == (7, 0)
    first = today.batch.fills[0]
    assert (first.fill_id, first.revision, first.order_id) == ("0000e242.6ab9e843.01", 1, "754464364")
    assert (first.price, first.notes, first.open_close) == (Decimal("1.06"), ("O", "P"), "O")
    assert {fill.source for fill in today.batch.fills} == {Source.CONFIRMATION}
    assert today.kind is StatementKind.CONFIRMATION
    assert today.batch.commissions[0].amount == Decimal("0.8453")


def test_a_confirmation_covers_its_day_until_it_was_made(today: BrokerStatement) -> None:
    """What happens after 19:41:14 New York is not claimed to be in a statement of 19:41:14."""
    (interval,) = today.batch.coverage
    assert interval.start.isoformat() == "2026-09-28T00:20:00+00:00"  # the evening before, 20:20 New York
    assert interval.end == today.generated_at
    assert today.generated_at is not None
    assert today.generated_at.isoformat() == "2026-09-28T23:41:14+00:00"


def test_the_year_has_every_row(annual: BrokerStatement) -> None:
    """671 trade rows of three kinds, 74 positions, 4 cash reports, 119 cash transactions, 43 contracts."""
    kinds = Counter(fill.instrument.asset_class for fill in annual.batch.fills)
    assert kinds == {"option": 340, "currency": 176, "equity": 155}
    assert len({fill.fill_id for fill in annual.batch.fills}) == 671
    assert Counter(position.level for position in annual.positions) == {
        DetailLevel.LOT: 72,
        DetailLevel.SUMMARY: 2,
    }
    assert (len(annual.cash), len(annual.cash_flows), len(annual.contracts)) == (4, 119, 43)
    assert (annual.batch.rejected, annual.unknown_fields, annual.base_currency) == ((), (), "CHF")


def test_cash_ends_where_the_report_says_but_for_the_known_pair(annual: BrokerStatement) -> None:
    """Start, money of trades, both legs of conversions, fees and flows: EUR equal, CHF and USD off."""
    cash: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for balance in annual.cash:
        cash[balance.currency] += balance.starting - balance.ending
    for fill in annual.batch.fills:
        assert fill.broker_net_cash is not None
        cash[fill.currency] += fill.broker_net_cash
        if fill.instrument.asset_class == "currency":
            cash[fill.instrument.underlying] += fill.signed_quantity
    conversions = {fill.fill_id for fill in annual.batch.fills if fill.instrument.asset_class == "currency"}
    for fact in annual.batch.commissions:
        if fact.fill_id in conversions:
            cash[fact.currency] -= fact.amount
    for flow in annual.cash_flows:
        if flow.level is DetailLevel.DETAIL:
            cash[flow.currency] += flow.amount
    assert cash["EUR"] == 0
    assert abs(cash["CHF"]) == Decimal("18.867786263")
    assert abs(cash["USD"]) == Decimal("21.821296002")


def test_positions_are_met_on_all_contracts_but_the_one_with_a_history(annual: BrokerStatement) -> None:
    """By conid the trades sum to the open lots on 42 of 43 contracts; on 272110 284 shares are older."""
    held: dict[int | None, Decimal] = defaultdict(lambda: ZERO)
    for fill in annual.batch.fills:
        if fill.instrument.asset_class != "currency":
            held[fill.conid] += fill.signed_quantity
    assert len(held) == 43
    for position in annual.positions:
        if position.level is DetailLevel.LOT:
            held[position.conid] -= position.quantity
    assert {conid: quantity for conid, quantity in held.items() if quantity} == {272110: Decimal(-284)}


def test_conversions_on_holidays_belong_to_the_next_session(annual: BrokerStatement) -> None:
    """Four conversions are booked on days without a session; each is in the next one."""
    elsewhere = [fill for fill in annual.batch.fills if fill.session != fill.trade_date]
    assert [fill.instrument.asset_class for fill in elsewhere] == ["currency"] * 4
    assert all(fill.session > fill.trade_date for fill in elsewhere)


def test_times_are_new_york_times_in_utc(annual: BrokerStatement) -> None:
    """14:23:46 on an October day in New York is 18:23:46 UTC."""
    (fill,) = [fill for fill in annual.batch.fills if fill.exec_id == "0000d349.68f1f32e.01.01"]
    assert fill.fill_ts.isoformat() == "2025-10-17T18:23:46+00:00"


def test_a_cash_report_keeps_all_its_lines(annual: BrokerStatement) -> None:
    """The broker's own figure for commissions per currency is there, with its sign."""
    lines = {balance.currency: dict(balance.lines) for balance in annual.cash}
    assert lines["USD"]["commissions"] == Decimal("-1117.40559443")
    assert lines["CHF"]["commissions"] == Decimal("-110.22127726")
    assert len(lines["BASE_SUMMARY"]) == 151


def test_assignment_legs_share_an_action_id(annual: BrokerStatement) -> None:
    """The assigned call and its delivered shares are tied."""
    legs = [fill for fill in annual.batch.fills if fill.notes == ("A",)]
    assert {fill.action_id for fill in legs} == {"101240858"}
    assert {fill.instrument.asset_class for fill in legs} == {"option", "equity"}


def test_the_same_file_twice_says_the_same(shared_data: Path, annual: BrokerStatement) -> None:
    """Reading is a function of the bytes."""
    assert read_recorded(shared_data, "annual-2025.xml") == annual
