"""Other people's spellings: Alpha Vantage ids, names in Lean archives, IBKR's contract fields by type."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from trading.errors import InvalidFieldError
from trading.model.contract_fields import parse_conid
from trading.model.instruments import CurrencyPair, Equity, Future, Instrument, Option, Right
from trading.model.money import parse_decimal
from trading.model.options import parse_ibkr_date, underlying_of_root
from trading.model.symbols import lean_symbol, occ_root, symbol_of_lean
from trading.model.times import parse_date

LEAN_STRIKE_PLACES = 4  # strike x 10,000
LEAN_KINDS = ("quote", "trade", "openinterest")
LEAN_STYLES = ("american", "european")
LEAN_NAME = re.compile(
    r"(?:(?P<day>\d{8})_)?(?P<root>[a-z0-9.]{1,12})_(?:(?P<resolution>minute|second|tick)_)?"
    r"(?P<kind>quote|trade|openinterest)_(?P<style>american|european)_"
    r"(?P<right>call|put)_(?P<strike>\d{1,10})_(?P<expiry>\d{8})\.csv",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeanMember:
    """One CSV of a Lean option archive: what it holds, and of which contract.

    Minute, second and tick files are of one `day`; hour and daily ones have neither day nor resolution in
    their names.
    """

    option: Option
    kind: str
    style: str
    day: date | None = None
    resolution: str = ""


def from_alpha_vantage(contract_id: str) -> Option:
    """Read a ``contractID``: the OCC symbol without blanks."""
    if not isinstance(contract_id, str) or " " in contract_id.strip():
        raise InvalidFieldError("contractID", "an OCC symbol without blanks", contract_id)
    return Option.from_occ(contract_id)


def alpha_vantage_id(option: Option) -> str:
    """Print as ``contractID``."""
    return option.occ.replace(" ", "")


def parse_lean_member(name: str) -> LeanMember:
    """Read the name of a CSV, such as ``20151224_goog_minute_quote_american_call_7350000_20151231.csv``."""
    match = LEAN_NAME.fullmatch(name) if isinstance(name, str) else None
    if match is None or (match["day"] is None) != (match["resolution"] is None):
        raise InvalidFieldError("member", "the name of a Lean option file", name)
    root = symbol_of_lean(match["root"])
    option = Option(
        symbol=underlying_of_root(root),
        expiry=parse_date("expiry", match["expiry"]),
        right=Right.parse(match["right"]),
        strike=Decimal(int(match["strike"])).scaleb(-LEAN_STRIKE_PLACES),
        trading_class=occ_root(root),
    )
    return LeanMember(
        option=option,
        kind=match["kind"],
        style=match["style"],
        day=parse_date("day", match["day"]) if match["day"] else None,
        resolution=match["resolution"] or "",
    )


def lean_member_name(member: LeanMember) -> str:
    """Print the name of the CSV."""
    if member.kind not in LEAN_KINDS or member.style not in LEAN_STYLES:
        expected = f"one of {LEAN_KINDS} and one of {LEAN_STYLES}"
        raise InvalidFieldError("member", expected, (member.kind, member.style))
    option = member.option
    day = f"{member.day:%Y%m%d}" if member.day else ""
    right = "call" if option.right is Right.CALL else "put"
    strike = str(int(option.strike.scaleb(LEAN_STRIKE_PLACES)))
    is_of_its_symbol = option.root == occ_root(option.symbol)
    root = lean_symbol(option.symbol) if is_of_its_symbol else option.root.lower()
    parts = (
        day,
        root,
        member.resolution,
        member.kind,
        member.style,
        right,
        strike,
        f"{option.expiry:%Y%m%d}",
    )
    return "_".join(filter(None, parts)) + ".csv"


def instrument_from_ibkr(fields: Mapping[str, object]) -> Instrument:
    """Read IBKR's contract fields of any type we keep; ``secType`` (or Flex's category) says which."""
    kind = fields.get("secType")
    if kind == "OPT":
        return Option.from_ibkr(fields)
    text = {name: value for name, value in fields.items() if isinstance(value, str)}
    symbol, currency = text.get("symbol", ""), text.get("currency") or "USD"
    conid = fields.get("conId")
    if kind == "STK":
        exchange = text.get("exchange") or "SMART"
        return Equity(symbol=symbol, conid=parse_conid(conid), exchange=exchange, currency=currency)
    if kind == "CASH":
        base, _, quote = symbol.partition(".")
        return CurrencyPair(base=base, quote=quote or currency)
    if kind == "FUT":
        return Future(
            symbol=symbol,
            expiry=parse_ibkr_date(fields.get("lastTradeDateOrContractMonth")),
            multiplier=parse_decimal("multiplier", fields.get("multiplier")),
            exchange=text.get("exchange", ""),
            local_symbol=text.get("localSymbol", ""),
            currency=currency,
            conid=parse_conid(conid),
        )
    raise InvalidFieldError("secType", "OPT, STK, CASH or FUT", kind)
