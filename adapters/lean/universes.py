"""The chain at the end of a day with model values, as the origin project computed them.

Columns: expiry, strike, right, open, high, low, close, volume, open interest, implied volatility, delta,
gamma, vega, theta, rho, unless the header says otherwise. The row without an expiry is the underlying. A row
whose model values are all zero has none: the origin writes zero where it could not compute.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import isfinite

from adapters.lean.archives import text_lines
from adapters.lean.series import Origin, broken, refusal
from adapters.lean.values import plain_price, whole
from trading.errors import InvalidFieldError
from trading.model.market import GreeksSource, OptionGreeks, RefusedRow
from trading.model.options import Option, Right
from trading.model.times import parse_date

COLUMNS = (
    *("expiry", "strike", "right", "open", "high", "low", "close", "volume", "open_interest"),
    *("implied_volatility", "delta", "gamma", "vega", "theta", "rho"),
)
NEEDED = ("expiry", "strike", "right", "close")
MODEL_VALUES = ("implied_volatility", "delta", "gamma", "vega", "theta", "rho")


@dataclass(frozen=True, slots=True, kw_only=True)
class UniverseRow:
    """One contract of a chain file; the underlying's row has no contract, and its close is the spot."""

    option: Option | None
    close: Decimal | None
    open_interest: int | None
    greeks: OptionGreeks | None


def universe_rows(symbol: str, at: datetime, origin: Origin) -> Iterator[UniverseRow | RefusedRow]:
    """Rows of a chain file, and refusals of what cannot be read; a header says the order of its columns."""
    columns: Sequence[str] = COLUMNS
    try:
        for number, text in text_lines(origin.path):
            if text.startswith("#"):
                columns = _columns(text)
                continue
            try:
                yield _row(symbol, at, _fields(columns, text.split(",")))
            except InvalidFieldError as error:
                yield refusal(symbol, at, error, origin, number, text)
    except InvalidFieldError as error:
        yield broken(symbol, at, error, origin)


def _columns(header: str) -> Sequence[str]:
    """The columns by name; raises InvalidFieldError where one is missing that no row can be without."""
    columns = header.removeprefix("#").split(",")
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise InvalidFieldError("header", f"a column {missing[0]}", header)
    return columns


def _fields(columns: Sequence[str], fields: Sequence[str]) -> Mapping[str, str]:
    if len(fields) != len(columns):
        raise InvalidFieldError("line", f"{len(columns)} fields", len(fields))
    return dict(zip(columns, fields, strict=True))


def _row(symbol: str, at: datetime, fields: Mapping[str, str]) -> UniverseRow:
    if not fields["expiry"]:
        close = plain_price(fields["close"])
        return UniverseRow(option=None, close=close, open_interest=None, greeks=None)
    option = Option(
        symbol=symbol,
        expiry=parse_date("expiry", fields["expiry"]),
        right=Right.parse(fields["right"]),
        strike=plain_price(fields["strike"]),
        trading_class=symbol,
    )
    interest = fields.get("open_interest", "")
    return UniverseRow(
        option=option,
        close=None,
        open_interest=whole(interest) if interest else None,
        greeks=_greeks(at, fields),
    )


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
