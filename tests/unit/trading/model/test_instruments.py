"""Instruments have one canonical form, one id, and refuse by name what they cannot be."""

from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.errors import InvalidFieldError
from trading.model.instruments import (
    CurrencyPair,
    Equity,
    Event,
    Future,
    Instrument,
    Option,
    Orderable,
    Perpetual,
    Right,
    gross_pnl,
    instrument_key,
)

OPTIONS = st.builds(
    Option,
    symbol=st.from_regex(r"[A-Z]{1,6}", fullmatch=True),
    expiry=st.dates(date(2010, 1, 1), date(2099, 12, 31)),
    right=st.sampled_from(Right),
    strike=st.integers(1, 99_999_999).map(lambda thousandths: Decimal(thousandths).scaleb(-3)),
)


def option(**changes: Any) -> Option:
    terms: dict[str, Any] = {
        "symbol": "SPY",
        "expiry": date(2026, 1, 16),
        "right": Right.CALL,
        "strike": Decimal(660),
    }
    return Option(**(terms | changes))


@pytest.mark.parametrize("strike", [660, "660", "660.0", "660.00", Decimal("660.000"), 660.0, "6.6E2"])
def test_every_spelling_of_a_strike_is_one_strike(strike: Any) -> None:
    """660, 660.0 and "660.00" are the same contract, the same value and the same hash."""
    assert option(strike=strike) == option()
    assert hash(option(strike=strike)) == hash(option())
    assert str(option(strike=strike).strike) == "660"


def test_canonical_form_is_upper_case_and_complete() -> None:
    """Case and an absent trading class do not make another contract."""
    assert option(symbol=" spy ", right="call", exchange="smart") == option(trading_class="SPY")


def test_conid_is_a_name_and_not_a_difference() -> None:
    """A contract with and without the broker's id is equal; its key is the conId where there is one."""
    assert option(conid=752508300) == option()
    assert instrument_key(option(conid=752508300)) == "752508300"
    assert instrument_key(option()) == "OPT:SPY   260116C00660000"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("strike", "660.0001"),
        ("strike", 0),
        ("strike", -1),
        ("strike", "100000"),
        ("strike", "NaN"),
        ("strike", float("inf")),
        ("strike", 1e308),
        ("strike", "abc"),
        ("strike", None),
        ("strike", True),
        ("strike", 0.1 + 0.2),
        ("expiry", "20260116"),
        ("expiry", datetime(2026, 1, 16)),
        ("expiry", None),
        ("right", "X"),
        ("right", ""),
        ("right", None),
        ("right", "CP"),
        ("multiplier", 0),
        ("multiplier", -100),
        ("multiplier", "1.5"),
        ("multiplier", 100.0),
        ("multiplier", 10**12),
        ("symbol", ""),
        ("symbol", "  "),
        ("symbol", "A\nB"),
        ("symbol", "\ud800"),
        ("symbol", 7),
        ("symbol", "A" * 65),
        ("conid", -5),
        ("conid", "12x"),
        ("conid", True),
    ],
)
def test_what_is_no_contract_is_refused_by_field_and_value(field: str, value: Any) -> None:
    """A malformed field is refused with an error that names the field and shows the value."""
    with pytest.raises(InvalidFieldError) as refusal:
        option(**{field: value})
    assert refusal.value.field == field
    assert refusal.value.value is value or refusal.value.value == value


@settings(deadline=None)
@given(OPTIONS)
def test_occ_round_trip(contract: Option) -> None:
    """Every listed contract prints as 21 OCC characters and reads back as itself."""
    assert len(contract.occ) == 21
    assert Option.from_occ(contract.occ) == contract
    assert contract.instrument_id == f"OPT:{contract.occ}"


def test_occ_of_an_index_class_names_the_index() -> None:
    """SPXW is a class of options on SPX; its root is printed back."""
    weekly = Option.from_occ("SPXW  210104C03700000")
    assert (weekly.symbol, weekly.trading_class, weekly.strike) == ("SPX", "SPXW", Decimal(3700))
    assert weekly.occ == "SPXW  210104C03700000"


def test_occ_keeps_thousandths() -> None:
    """A strike of half a cent survives."""
    assert Option.from_occ("GOOG  151231C00735125").strike == Decimal("735.125")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SPY",
        "SPY   261316C00660000",
        "SPY   260116X00660000",
        "SPY   260116C00000000",
        "TOOLONG260116C00660000",
        "SPY   260116C0066000",
        "SPY   260116C0066000٣",
        None,
    ],
)
def test_malformed_occ_symbols_are_refused(text: Any) -> None:
    """A text that is no OCC symbol raises the house's error and no other."""
    with pytest.raises(InvalidFieldError):
        Option.from_occ(text)


def test_a_root_that_does_not_fit_is_refused_when_printing() -> None:
    """OCC roots have six characters."""
    with pytest.raises(InvalidFieldError, match="trading_class"):
        _ = option(symbol="TOOLONGX").occ


def test_class_share_root_has_no_blank() -> None:
    """IBKR's symbol `BRK B` has the OCC root BRKB."""
    assert option(symbol="BRK B", trading_class="BRKB").occ == "BRKB  260116C00660000"
    assert option(symbol="BRK B").occ == "BRKB  260116C00660000"


IBKR = {
    "conId": 752508300,
    "symbol": "MSTR",
    "secType": "OPT",
    "lastTradeDateOrContractMonth": "20250214",
    "strike": 500.0,
    "right": "C",
    "multiplier": "100",
    "exchange": "",
    "currency": "USD",
    "localSymbol": "MSTR  250214C00500000",
    "tradingClass": "MSTR",
}


@pytest.mark.parametrize(
    "last_trade_date",
    [
        "20250214",
        "20250214 16:00:00 US/Eastern",
        "20250214 15:00 US/Central",
        "20250214-21:00:00",
        " 20250214 ",
    ],
)
def test_ibkr_dates_with_and_without_time_are_one_expiry(last_trade_date: str) -> None:
    """The broker sends the last trade date with or without a time and a zone."""
    contract = Option.from_ibkr(IBKR | {"lastTradeDateOrContractMonth": last_trade_date})
    assert contract.instrument_id == "OPT:MSTR  250214C00500000"
    assert contract.conid == 752508300
    assert contract.exchange == "SMART"


@settings(deadline=None)
@given(OPTIONS)
def test_ibkr_round_trip(contract: Option) -> None:
    """What is printed as broker fields reads back as itself."""
    assert Option.from_ibkr(contract.ibkr_fields()) == contract


def test_am_settled_option_expires_on_the_day_its_local_symbol_says() -> None:
    """IBKR dates the January SPX option by its last trading day, the 14th; it expires on the 15th."""
    contract = Option.from_ibkr(
        IBKR
        | {
            "symbol": "SPX",
            "lastTradeDateOrContractMonth": "20210114",
            "strike": 3800.0,
            "localSymbol": "SPX   210115C03800000",
            "tradingClass": "SPX",
        }
    )
    assert contract.expiry == date(2021, 1, 15)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lastTradeDateOrContractMonth", "202502"),
        ("lastTradeDateOrContractMonth", "20250230"),
        ("lastTradeDateOrContractMonth", ""),
        ("lastTradeDateOrContractMonth", 20250214),
        ("localSymbol", "MSTR  250214C00510000"),
        ("localSymbol", "MSTR  250314C00500000"),
        ("localSymbol", "MSTR  250213C00500000"),
        ("strike", 1.7976931348623157e308),
        ("right", "?"),
        ("multiplier", "x"),
        ("multiplier", 0),
        ("multiplier", "0"),
        ("tradingClass", 5),
    ],
)
def test_ibkr_fields_that_contradict_or_are_unset_are_refused(field: str, value: Any) -> None:
    """An unset strike, a month without day, or a local symbol of another contract is no contract."""
    with pytest.raises(InvalidFieldError, match=field):
        Option.from_ibkr(IBKR | {field: value})


EXAMPLES: list[tuple[Instrument, str, str, str, str]] = [
    (option(), "OPT:SPY   260116C00660000", "option", "USD", "SPY"),
    (
        Future(
            symbol="ES",
            expiry=date(2026, 12, 18),
            multiplier=Decimal(50),
            exchange="CME",
            local_symbol="ESZ6",
        ),
        "FUT:CME:ESZ6",
        "future",
        "USD",
        "ES",
    ),
    (
        Perpetual(
            venue="kraken", symbol="PI_XBTUSD", inverse=True, settlement_currency="BTC", underlying="BTC"
        ),
        "PERP:kraken:PI_XBTUSD",
        "perpetual",
        "BTC",
        "BTC",
    ),
    (
        Event(venue="kalshi", ticker="KXBTC-26NOV21-T90000"),
        "EVT:kalshi:KXBTC-26NOV21-T90000",
        "event",
        "USD",
        "KXBTC",
    ),
    (Equity(symbol="AAPL", conid=265598), "STK:265598", "equity", "USD", "AAPL"),
    (Equity(symbol="AAPL"), "STK:AAPL", "equity", "USD", "AAPL"),
    (CurrencyPair(base="eur", quote="usd"), "FX:EURUSD", "currency", "USD", "EUR"),
]


@pytest.mark.parametrize(("instrument", "name", "kind", "currency", "underlying"), EXAMPLES)
def test_every_kind_has_its_id_class_currency_and_underlying(
    instrument: Instrument, name: str, kind: str, currency: str, underlying: str
) -> None:
    """The ids are part of stored keys: they never change."""
    assert instrument.instrument_id == name
    assert instrument.asset_class == kind
    assert instrument.settlement_currency == currency
    assert instrument.underlying == underlying
    assert instrument.contract_size > 0


def test_only_derivatives_are_orderable() -> None:
    """The order path takes Option, Future, Perpetual and Event, and knows the rest by type and by flag."""
    for instrument, *_ in EXAMPLES:
        assert isinstance(instrument, Orderable) == instrument.orderable
        assert instrument.orderable == (instrument.asset_class not in ("equity", "currency"))


@pytest.mark.parametrize("instrument", [row[0] for row in EXAMPLES])
def test_instruments_are_immutable(instrument: Instrument) -> None:
    """A contract in a key must not change under it."""
    with pytest.raises(AttributeError):
        setattr(instrument, fields(instrument)[0].name, "X")


def test_linear_pnl_is_quantity_times_size_times_difference() -> None:
    """Two contracts of 100 from 1.37 to 0.38 lose 198 when long and win 198 when short."""
    assert gross_pnl(option(), Decimal("1.37"), Decimal("0.38"), Decimal(2)) == Decimal(-198)
    assert gross_pnl(option(), Decimal("1.37"), Decimal("0.38"), Decimal(-2)) == Decimal(198)


def test_inverse_pnl_is_in_the_coin() -> None:
    """1,000 contracts of one dollar from 20,000 to 25,000 win 0.01 BTC: 1000 x (1/20000 - 1/25000)."""
    perpetual = Perpetual(venue="kraken", symbol="PI_XBTUSD", inverse=True, settlement_currency="BTC")
    assert gross_pnl(perpetual, Decimal(20_000), Decimal(25_000), Decimal(1_000)) == Decimal("0.01")
    assert gross_pnl(perpetual, Decimal(20_000), Decimal(25_000), Decimal(-1_000)) == Decimal("-0.01")


def test_inverse_pnl_is_rounded_once_half_to_even() -> None:
    """5,000 x (1/27937.5 - 1/28050) is 0.00071779780... and keeps nine places."""
    perpetual = Perpetual(venue="kraken", symbol="PI_XBTUSD", inverse=True, settlement_currency="BTC")
    assert gross_pnl(perpetual, Decimal("27937.5"), Decimal(28_050), Decimal(5_000)) == Decimal("0.000717798")


@pytest.mark.parametrize(
    ("exact", "rounded"),
    [
        ("0.0000000005", "0"),
        ("0.0000000015", "0.000000002"),
        ("0.0000000025", "0.000000002"),
        ("0.00000000251", "0.000000003"),
    ],
)
def test_halves_of_the_last_place_go_to_the_even_neighbor(exact: str, rounded: str) -> None:
    """Rounding up every half would pay out more than it takes in over many trades."""
    pair = CurrencyPair(base="EUR", quote="USD")
    assert gross_pnl(pair, Decimal(0), Decimal(exact), Decimal(1)) == Decimal(rounded)
    assert gross_pnl(pair, Decimal(0), Decimal(exact), Decimal(-1)) == -Decimal(rounded)


@pytest.mark.parametrize("price", [Decimal(0), Decimal(-1)])
def test_an_inverse_contract_has_a_positive_price(price: Decimal) -> None:
    """One divided by zero is a broken input, refused by name."""
    perpetual = Perpetual(venue="kraken", symbol="PI_XBTUSD", inverse=True, settlement_currency="BTC")
    with pytest.raises(InvalidFieldError, match="price"):
        gross_pnl(perpetual, price, Decimal(1), Decimal(1))


def test_contract_size_can_be_overridden() -> None:
    """An adjusted contract delivers 150 shares whatever its printed multiplier."""
    assert gross_pnl(option(), Decimal(1), Decimal(2), Decimal(1), contract_size=Decimal(150)) == Decimal(150)


@settings(deadline=None)
@given(
    st.decimals("0.001", "100000", places=3),
    st.decimals("0.001", "100000", places=3),
    st.decimals("-100000", "100000", places=3),
    st.booleans(),
)
def test_pnl_of_a_long_is_minus_that_of_a_short(
    opened: Decimal, closed: Decimal, quantity: Decimal, inverse: bool
) -> None:
    """Whoever is on the other side loses exactly what we win."""
    contract = Perpetual(venue="x", symbol="Y", inverse=inverse, settlement_currency="BTC")
    assert gross_pnl(contract, opened, closed, quantity) == -gross_pnl(contract, opened, closed, -quantity)
