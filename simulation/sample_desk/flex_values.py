"""How values are written in the broker's statements: times, dates, signs, rates, a contract's columns."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from xml.sax.saxutils import quoteattr

from simulation.sample_desk.contracts import Contract, plain
from trading.model.times import NEW_YORK

RATE_PLACES = Decimal("0.00001")
FUNDS = ("SPY", "QQQ", "IWM")

Row = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """What the owner of a statement chose: compact or dashed dates; and the base currency with its rate."""

    dashed: bool
    base_currency: str
    euro: Decimal

    def day(self, day: date) -> str:
        """A date."""
        return f"{day:%Y-%m-%d}" if self.dashed else f"{day:%Y%m%d}"

    def moment(self, moment: datetime) -> str:
        """A time in New York, to the second."""
        local = moment.astimezone(NEW_YORK)
        return f"{self.day(local.date())};{local:%H:%M:%S}" if self.dashed else f"{local:%Y%m%d;%H%M%S}"

    def rate(self, currency: str) -> Decimal:
        """What one unit of a currency is in base, with the statement's five decimals."""
        if currency == self.base_currency:
            return Decimal(1)
        rate = self.euro if currency == "EUR" else 1 / self.euro
        return rate.quantize(RATE_PLACES, ROUND_HALF_EVEN)


def contract_columns(contract: Contract, style: Style) -> Row:
    """The columns that name a contract, for every element that has them."""
    row = {
        "currency": contract.currency,
        "assetCategory": contract.asset,
        "symbol": contract.symbol,
        "description": contract.description,
        "conid": str(contract.conid),
        "multiplier": str(contract.multiplier),
        "fineness": "0.0",
        "weight": "0.0",
    }
    underlying = contract.underlying
    if underlying is None:
        return row
    if contract.asset == "STK":
        subtype = "ETF" if contract.symbol in FUNDS else "COMMON"
        named = {"securityID": underlying.isin, "securityIDType": "ISIN", "isin": underlying.isin}
        issuer = {"issuerCountryCode": "US", "listingExchange": underlying.listing, "subCategory": subtype}
        return {**row, **named, **issuer, "underlyingSymbol": underlying.symbol}
    return {
        **row,
        "subCategory": contract.right,
        "listingExchange": "CBOE",
        "underlyingConid": str(underlying.conid),
        "underlyingSymbol": underlying.symbol,
        "underlyingSecurityID": underlying.isin,
        "underlyingListingExchange": underlying.listing,
        "strike": plain(contract.strike or 0),
        "expiry": style.day(contract.expiry) if contract.expiry else "",
        "putCall": contract.right,
    }


def money(amount: Decimal) -> str:
    """Money with at most nine decimals."""
    return plain(amount.quantize(Decimal("0.000000001"), ROUND_HALF_EVEN))


def element(tag: str, names: Iterable[str], row: Mapping[str, str]) -> str:
    """One element with exactly these attributes, empty where the row says nothing."""
    told = [f"{name}={quoteattr(value)}" if (value := row.get(name)) else f'{name}=""' for name in names]
    return f"<{tag} {' '.join(told)} />"
