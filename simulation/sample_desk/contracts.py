"""What the sample desk trades: eight underlyings, their options, their shares, one currency pair.

The contract ids of the underlyings are the broker's real ones; those of the option series are minted in the
order of their first listing, so one seed gives one contract master.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

FIRST_OPTION_CONID = 810_000_011
CONID_STEP = 37  # real ids are not consecutive


@dataclass(frozen=True, slots=True, kw_only=True)
class Underlying:
    """A share, fund or index that options are listed on; prices in cents."""

    symbol: str
    option_root: str
    conid: int
    description: str
    isin: str
    listing: str
    start_cents: int
    strike_step_cents: int
    lists_every_session: bool
    is_index: bool = False


UNDERLYINGS = (
    Underlying(
        symbol="SPY",
        option_root="SPY",
        conid=756733,
        description="SS SPDR S&P 500 ETF TRUST-US",
        isin="US78462F1030",
        listing="ARCA",
        start_cents=67_150,
        strike_step_cents=100,
        lists_every_session=True,
    ),
    Underlying(
        symbol="QQQ",
        option_root="QQQ",
        conid=320227571,
        description="INVESCO QQQ TRUST SERIES 1",
        isin="US46090E1038",
        listing="NASDAQ",
        start_cents=60_480,
        strike_step_cents=100,
        lists_every_session=True,
    ),
    Underlying(
        symbol="IWM",
        option_root="IWM",
        conid=9579970,
        description="ISHARES RUSSELL 2000 ETF",
        isin="US4642876555",
        listing="ARCA",
        start_cents=24_835,
        strike_step_cents=100,
        lists_every_session=False,
    ),
    Underlying(
        symbol="AAPL",
        option_root="AAPL",
        conid=265598,
        description="APPLE INC",
        isin="US0378331005",
        listing="NASDAQ",
        start_cents=25_210,
        strike_step_cents=250,
        lists_every_session=False,
    ),
    Underlying(
        symbol="NVDA",
        option_root="NVDA",
        conid=4815747,
        description="NVIDIA CORP",
        isin="US67066G1040",
        listing="NASDAQ",
        start_cents=18_265,
        strike_step_cents=250,
        lists_every_session=False,
    ),
    Underlying(
        symbol="TSLA",
        option_root="TSLA",
        conid=76792991,
        description="TESLA INC",
        isin="US88160R1014",
        listing="NASDAQ",
        start_cents=43_020,
        strike_step_cents=500,
        lists_every_session=False,
    ),
    Underlying(
        symbol="MSFT",
        option_root="MSFT",
        conid=272093,
        description="MICROSOFT CORP",
        isin="US5949181045",
        listing="NASDAQ",
        start_cents=51_745,
        strike_step_cents=250,
        lists_every_session=False,
    ),
    Underlying(
        symbol="SPX",
        option_root="SPXW",
        conid=416904,
        description="S&P 500 Stock Index",
        isin="",
        listing="CBOE",
        start_cents=671_500,
        strike_step_cents=1_000,
        lists_every_session=True,
        is_index=True,
    ),
)
EURUSD_CONID = 12087792


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """One thing held; `asset` is the broker's category (OPT, STK, CASH), `symbol` its statement symbol."""

    conid: int
    asset: str
    symbol: str
    description: str
    currency: str
    multiplier: int
    underlying: Underlying | None
    expiry: date | None = None
    right: str = ""
    strike: Decimal | None = None

    @property
    def instrument_id(self) -> str:
        """The house's canonical id: OPT: + OCC, STK: + conId, FX: + pair."""
        if self.asset == "OPT":
            return f"OPT:{self.symbol}"
        if self.asset == "STK":
            return f"STK:{self.conid}"
        return f"FX:{self.symbol.replace('.', '')}"

    @property
    def settles_in_cash(self) -> bool:
        """Index options pay their intrinsic value; all others deliver shares."""
        return self.underlying is not None and self.underlying.is_index

    @property
    def strike_cents(self) -> int:
        """Strike in cents, 0 for what has none."""
        return int(self.strike * 100) if self.strike is not None else 0

    def intrinsic_cents(self, spot_cents: int) -> int:
        """What the option is worth at its end, per unit of the underlying."""
        difference = spot_cents - self.strike_cents
        return max(0, difference if self.right == "C" else -difference)


@dataclass(slots=True)
class ContractMaster:
    """Hands out one contract per series and keeps all that were listed."""

    listed: dict[str, Contract] = field(default_factory=dict)

    def option(self, underlying: Underlying, expiry: date, right: str, strike_cents: int) -> Contract:
        """The series, listed at its first mention."""
        strike = Decimal(strike_cents) / 100
        symbol = f"{underlying.option_root:<6}{expiry:%y%m%d}{right}{strike_cents * 10:08d}"
        if symbol not in self.listed:
            self.listed[symbol] = Contract(
                conid=FIRST_OPTION_CONID + CONID_STEP * len(self.listed),
                asset="OPT",
                symbol=symbol,
                description=f"{underlying.option_root} {expiry:%d%b%y} {plain(strike)} {right}".upper(),
                currency="USD",
                multiplier=100,
                underlying=underlying,
                expiry=expiry,
                right=right,
                strike=strike,
            )
        return self.listed[symbol]


def share_of(underlying: Underlying) -> Contract:
    """The share or fund itself, as delivery brings it."""
    return Contract(
        conid=underlying.conid,
        asset="STK",
        symbol=underlying.symbol,
        description=underlying.description,
        currency="USD",
        multiplier=1,
        underlying=underlying,
    )


def euro_dollar() -> Contract:
    """The conversion EUR.USD."""
    return Contract(
        conid=EURUSD_CONID,
        asset="CASH",
        symbol="EUR.USD",
        description="EUR.USD",
        currency="USD",
        multiplier=1,
        underlying=None,
    )


def plain(number: Decimal | int) -> str:
    """A number as statements print it: no exponent, no trailing zeros, no minus zero."""
    text = format(Decimal(number), "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
