"""The option contract: one immutable type for every listed series, and its OCC and IBKR spellings.

Vendor spellings other than OCC and IBKR are in `symbology`; what a corporate action does to a series is in
`contract_master`. Import `Option` and `Right` from `instruments`, where all kinds are together.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, Self

from trading.errors import InvalidFieldError
from trading.model.contract_fields import (
    STRIKE_PLACES,
    checked_expiry,
    parse_conid,
    parse_multiplier,
    parse_strike,
    parse_symbol,
    set_field,
)
from trading.model.times import parse_date

ROOT_CHARS_MAX = 6  # OCC
OCC_PATTERN = re.compile(r"([A-Z0-9]{1,6}) *(\d{6})([CP])(\d{8})", re.ASCII)
IBKR_TIMED_DATE = re.compile(r"(\d{8})([ -]+\d{1,2}:\d{2}(:\d{2})?( +[A-Za-z_/+\-0-9]+)?)?", re.ASCII)
CENTURY = 20  # OCC years have two digits; the symbology began in 2010
AM_EXPIRY_LAG_DAYS_MAX = 4  # IBKR dates AM-settled options by their last trading day, OCC by their expiry
CLASS_UNDERLYING: Mapping[str, str] = {  # index option classes whose root is not the index
    "SPXW": "SPX",
    "XSPW": "XSP",
    "NDXP": "NDX",
    "RUTW": "RUT",
    "VIXW": "VIX",
    "DJXW": "DJX",
    "OEXW": "OEX",
}
CLASS_SHARES: Mapping[str, str] = {  # roots, which have no place for the mark of a share's class
    "BFA": "BF A",
    "BFB": "BF B",
    "BRKB": "BRK B",
    "CWENA": "CWEN A",
    "HEIA": "HEI A",
    "LENB": "LEN B",
    "LGFA": "LGF A",
    "LGFB": "LGF B",
    "MOGA": "MOG A",
    "RDSA": "RDS A",
    "RDSB": "RDS B",
}


class Right(StrEnum):
    """What the option gives its holder."""

    CALL = "C"
    PUT = "P"

    @classmethod
    def parse(cls, value: object) -> "Right":
        """Read C, CALL, P or PUT in any case."""
        text = value.strip().upper() if isinstance(value, str) else ""
        if text not in ("C", "CALL", "P", "PUT"):
            raise InvalidFieldError("right", "C, CALL, P or PUT", value)
        return cls(text[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One listed option series.

    Fields are canonical after construction (upper case, plain strike, empty trading class replaced by the
    symbol), so equal contracts are equal values. `conid` is the broker's name for it and takes no part in
    equality.
    """

    symbol: str
    expiry: date
    right: Right
    strike: Decimal
    multiplier: int = 100
    exchange: str = "SMART"
    currency: str = "USD"
    trading_class: str = ""
    conid: int | None = field(default=None, compare=False)

    orderable: ClassVar[bool] = True
    asset_class: ClassVar[str] = "option"

    def __post_init__(self) -> None:
        """Bring every field to its one form, or refuse it by name."""
        set_field(self, "symbol", parse_symbol("symbol", self.symbol))
        set_field(self, "expiry", checked_expiry("expiry", self.expiry))
        set_field(self, "right", Right.parse(self.right))
        set_field(self, "strike", parse_strike(self.strike))
        set_field(self, "multiplier", parse_multiplier(self.multiplier))
        set_field(self, "exchange", parse_symbol("exchange", self.exchange or "SMART"))
        set_field(self, "currency", parse_symbol("currency", self.currency or "USD"))
        set_field(
            self,
            "trading_class",
            parse_symbol("trading_class", self.trading_class or self.symbol),
        )
        set_field(self, "conid", parse_conid(self.conid))

    @property
    def root(self) -> str:
        """OCC root: the trading class without blanks, dots and slashes."""
        return re.sub(r"[ ./]", "", self.trading_class)

    @property
    def occ(self) -> str:
        """OCC symbol, 21 characters."""
        if not re.fullmatch(r"[A-Z0-9]{1,6}", self.root):
            raise InvalidFieldError(
                "trading_class",
                f"at most {ROOT_CHARS_MAX} letters and digits",
                self.root,
            )
        thousandths = int(self.strike.scaleb(STRIKE_PLACES))
        return f"{self.root:<{ROOT_CHARS_MAX}}{self.expiry:%y%m%d}{self.right}{thousandths:08d}"

    @property
    def instrument_id(self) -> str:
        """``OPT:`` and the OCC symbol."""
        return f"OPT:{self.occ}"

    @property
    def underlying(self) -> str:
        """Symbol of what the option is on."""
        return self.symbol

    @property
    def contract_size(self) -> Decimal:
        """Units of the underlying per contract."""
        return Decimal(self.multiplier)

    @property
    def settlement_currency(self) -> str:
        """Currency in which P&L and fees arise."""
        return self.currency

    @classmethod
    def from_occ(cls, text: str, *, multiplier: int = 100, conid: int | None = None) -> Self:
        """Read an OCC symbol, padded to 21 characters or not."""
        match = OCC_PATTERN.fullmatch(text.strip().upper()) if isinstance(text, str) else None
        if match is None:
            raise InvalidFieldError("occ", "root, yymmdd, C or P, strike x 1000 in 8 digits", text)
        root, day, right, thousandths = match.groups()
        return cls(
            symbol=underlying_of_root(root),
            expiry=parse_date("expiry", f"{CENTURY}{day}"),
            right=Right(right),
            strike=Decimal(int(thousandths)).scaleb(-STRIKE_PLACES),
            multiplier=multiplier,
            trading_class=root,
            conid=conid,
        )

    @classmethod
    def from_ibkr(cls, fields: Mapping[str, object]) -> Self:
        """Read IBKR's contract fields under the API's names; values are text or numbers, empty is absent.

        IBKR dates an AM-settled option by its last trading day while its local symbol carries the expiry:
        where ``localSymbol`` is an OCC symbol, its date is the expiry, and a local symbol of another contract
        is refused.
        """
        multiplier = fields.get("multiplier")
        option = cls(
            symbol=_text(fields, "symbol"),
            expiry=parse_ibkr_date(fields.get("lastTradeDateOrContractMonth")),
            right=Right.parse(fields.get("right")),
            strike=parse_strike(fields.get("strike")),
            multiplier=parse_multiplier(100 if multiplier in (None, "") else multiplier),
            exchange=_text(fields, "exchange"),
            currency=_text(fields, "currency"),
            trading_class=_text(fields, "tradingClass"),
            conid=parse_conid(fields.get("conId")),
        )
        return option._with_local_symbol(_text(fields, "localSymbol"))

    def ibkr_fields(self) -> dict[str, str | int | float]:
        """Print as IBKR's contract fields; the strike is a float because the API's is one."""
        return {
            "conId": self.conid or 0,
            "symbol": self.symbol,
            "secType": "OPT",
            "lastTradeDateOrContractMonth": f"{self.expiry:%Y%m%d}",
            "strike": float(self.strike),
            "right": str(self.right),
            "multiplier": str(self.multiplier),
            "exchange": self.exchange,
            "currency": self.currency,
            "localSymbol": self.occ,
            "tradingClass": self.trading_class,
        }

    def _with_local_symbol(self, local_symbol: str) -> Self:
        if not OCC_PATTERN.fullmatch(local_symbol):
            return self
        named = type(self).from_occ(local_symbol)
        lag_days = (named.expiry - self.expiry).days
        if (named.right, named.strike) != (self.right, self.strike) or not (
            0 <= lag_days <= AM_EXPIRY_LAG_DAYS_MAX
        ):
            raise InvalidFieldError("localSymbol", f"the OCC symbol of {self.occ}", local_symbol)
        return type(self)(
            symbol=self.symbol,
            expiry=named.expiry,
            right=self.right,
            strike=self.strike,
            multiplier=self.multiplier,
            exchange=self.exchange,
            currency=self.currency,
            trading_class=self.trading_class if self.trading_class != self.symbol else named.trading_class,
            conid=self.conid,
        )


def underlying_of_root(root: str) -> str:
    """What options of a root are on: most often a share of the same name."""
    return CLASS_UNDERLYING.get(root) or CLASS_SHARES.get(root, root)


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidFieldError(name, "text", value)
    return (value or "").strip()


def parse_ibkr_date(value: object) -> date:
    """Read the date of ``lastTradeDateOrContractMonth``, whose time and zone are left aside."""
    match = IBKR_TIMED_DATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        expected = "YYYYMMDD or YYYYMMDD HH:MM:SS TZ"
        raise InvalidFieldError("lastTradeDateOrContractMonth", expected, value)
    return parse_date("lastTradeDateOrContractMonth", match.group(1))
