"""The chain at the end of a day with model values, as the origin project computed them.

Columns: expiry, strike, right, open, high, low, close, volume, open interest, implied volatility, delta,
gamma, vega, theta, rho, unless the header says otherwise. Older files name a contract by the origin's id and
its OCC symbol in the place of the first three, some of them without a header. The row without an expiry, or
with a plain symbol, is the underlying; where that is another one than the chain's (an option on a fifth of
an index beside the index) its price is no spot. A row whose model values are all zero has none: the origin
writes zero where it could not compute, and for a price that it does not know.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from math import isfinite

from adapters.lean.archives import NumberedLine, text_lines
from adapters.lean.series import TWICE, Origin, broken, refusal
from adapters.lean.values import plain_price, side_price, whole
from trading.errors import InvalidFieldError
from trading.model.market import GreeksSource, OptionGreeks, RefusedRow
from trading.model.options import Option, Right, underlying_of_root
from trading.model.symbols import occ_root, symbol_of_lean
from trading.model.times import parse_date

MODEL_VALUES = ("implied_volatility", "delta", "gamma", "vega", "theta", "rho")
VALUES = ("open", "high", "low", "close", "volume", "open_interest", *MODEL_VALUES)
COLUMNS = ("expiry", "strike", "right", *VALUES)
OCC_SYMBOL = "symbol_value"
COLUMNS_WITH_SYMBOLS = ("symbol_id", OCC_SYMBOL, *VALUES)
NEEDED = ("expiry", "strike", "right", "close")
NEEDED_WITH_SYMBOLS = (OCC_SYMBOL, "close")


@dataclass(frozen=True, slots=True, kw_only=True)
class UniverseRow:
    """One contract of a chain file; the underlying's row has no contract, and its close is the spot."""

    option: Option | None
    close: Decimal | None
    open_interest: int | None
    greeks: OptionGreeks | None


def universe_rows(root: str, at: datetime, origin: Origin) -> Iterator[UniverseRow | RefusedRow]:
    """Rows of the chain file of a class, and refusals of what cannot be read; a header names its columns."""
    symbol, root = underlying_of_root(root), occ_root(root)
    columns: Sequence[str] = ()
    told: dict[str, UniverseRow] = {}
    twice: list[NumberedLine] = []
    try:
        for number, text in text_lines(origin.path):
            if text.startswith("#") or (not columns and _is_header(text)):
                columns = _columns(text)
                continue
            columns = columns or _columns_of(text)
            try:
                row = _row(symbol, root, at, _fields(columns, text.split(",")))
                if _is_again(row, told):
                    twice.append((number, text))
                    continue
            except InvalidFieldError as error:
                yield refusal(symbol, at, error, origin, number, text)
                continue
            yield row
        if twice:
            again = InvalidFieldError("line", f"a contract once; {TWICE}", root)
            yield replace(refusal(symbol, at, again, origin, *twice[0]), rows=len(twice))
    except InvalidFieldError as error:
        yield broken(symbol, at, error, origin)


def _is_again(row: UniverseRow, told: dict[str, UniverseRow]) -> bool:
    """Whether the same was said of the contract before; raises InvalidFieldError where something else was."""
    name = "" if row.option is None else row.option.instrument_id
    before = told.setdefault(name, row)
    if before is not row and before != row:
        raise InvalidFieldError("line", "a contract once, or the same line again", name or "the underlying")
    return before is not row


def _is_header(text: str) -> bool:
    """Whether the first line names columns though it has no mark."""
    names = _names(text)
    return "close" in names and ("expiry" in names or OCC_SYMBOL in names)


def _names(header: str) -> Sequence[str]:
    return [name.strip().lower() for name in header.removeprefix("#").split(",")]


def _columns(header: str) -> Sequence[str]:
    """The columns by name; raises InvalidFieldError where one is missing that no row can be without."""
    columns = _names(header)
    needed = NEEDED_WITH_SYMBOLS if OCC_SYMBOL in columns else NEEDED
    missing = [name for name in needed if name not in columns]
    if missing:
        raise InvalidFieldError("header", f"a column {missing[0]}", header)
    return columns


def _columns_of(text: str) -> Sequence[str]:
    """The columns of a file without a header, by their number."""
    return COLUMNS_WITH_SYMBOLS if text.count(",") == len(COLUMNS_WITH_SYMBOLS) - 1 else COLUMNS


def _fields(columns: Sequence[str], fields: Sequence[str]) -> Mapping[str, str]:
    if len(fields) != len(columns):
        raise InvalidFieldError("line", f"{len(columns)} fields", len(fields))
    return dict(zip(columns, map(str.strip, fields), strict=True))


def _row(symbol: str, root: str, at: datetime, fields: Mapping[str, str]) -> UniverseRow:
    option = _named(symbol, root, fields) if OCC_SYMBOL in fields else _described(symbol, root, fields)
    if option is None:
        close = side_price(fields["close"], plain_price)
        return UniverseRow(option=None, close=close, open_interest=None, greeks=None)
    interest = fields.get("open_interest", "")
    return UniverseRow(
        option=option,
        close=None,
        open_interest=whole(interest) if interest else None,
        greeks=_greeks(at, fields),
    )


def _described(symbol: str, root: str, fields: Mapping[str, str]) -> Option | None:
    """The contract by its fields; None for the underlying."""
    if not fields["expiry"]:
        return None
    return Option(
        symbol=symbol,
        expiry=parse_date("expiry", fields["expiry"]),
        right=Right.parse(fields["right"]),
        strike=plain_price(fields["strike"]),
        trading_class=root,
    )


def _named(symbol: str, root: str, fields: Mapping[str, str]) -> Option | None:
    """The contract by its OCC symbol; None for the underlying."""
    told = fields[OCC_SYMBOL]
    if symbol_of_lean(told) == symbol:
        return None
    expected = f"{symbol}, or the OCC symbol of a contract of {root}"
    try:
        option = Option.from_occ(told.replace(".", ""))  # the origin writes the mark of a class into the root
    except InvalidFieldError as cause:
        raise InvalidFieldError(OCC_SYMBOL, expected, told) from cause
    if option.symbol == symbol:  # an index has several classes
        return option
    if option.root != root:
        raise InvalidFieldError(OCC_SYMBOL, expected, told)
    return replace(option, symbol=symbol, trading_class=root)


def _greeks(at: datetime, fields: Mapping[str, str]) -> OptionGreeks | None:
    values = {name: model_value(name, fields.get(name, "")) for name in MODEL_VALUES}
    if not any(values.values()):
        return None
    volatility = values.pop("implied_volatility")
    return OptionGreeks(
        at=at,
        source=GreeksSource.VENUE_FILE,
        implied_volatility=volatility or 0.0,
        delta=values["delta"],
        gamma=values["gamma"],
        vega=values["vega"],
        theta=values["theta"],
        rho=values["rho"],
    )


def model_value(name: str, text: str) -> float | None:
    """A model value; None where the field is empty."""
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise InvalidFieldError(name, "a finite number", text)
    return value
