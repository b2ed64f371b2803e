"""The chain at the end of a day with model values, as the origin project computed them.

Columns: expiry, strike, right, open, high, low, close, volume, open interest, implied volatility, delta,
gamma, vega, theta, rho. The row without an expiry is the underlying. A row whose model values are all zero
has none: the origin writes zero where it could not compute.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import isfinite

from adapters.lean.archives import text_lines
from adapters.lean.series import Origin, refusal
from adapters.lean.values import plain_price, whole
from trading.errors import InvalidFieldError
from trading.model.market import GreeksSource, OptionGreeks, RefusedRow
from trading.model.options import Option, Right
from trading.model.times import parse_date

FIELDS = 15
MODEL_VALUES = ("implied_volatility", "delta", "gamma", "vega", "theta", "rho")


@dataclass(frozen=True, slots=True, kw_only=True)
class UniverseRow:
    """One contract of a chain file; the underlying's row has no contract, and its close is the spot."""

    option: Option | None
    close: Decimal | None
    open_interest: int | None
    greeks: OptionGreeks | None


def universe_rows(symbol: str, at: datetime, origin: Origin) -> Iterator[UniverseRow | RefusedRow]:
    """Rows of a chain file, and refusals of what cannot be read."""
    try:
        for number, text in text_lines(origin.path):
            if text.startswith("#"):
                continue
            try:
                yield _row(symbol, at, text.split(","))
            except InvalidFieldError as error:
                yield refusal(symbol, at, error, origin, number, text)
    except InvalidFieldError as error:
        yield refusal(symbol, at, error, origin)


def _row(symbol: str, at: datetime, fields: Sequence[str]) -> UniverseRow:
    if len(fields) != FIELDS:
        raise InvalidFieldError("line", f"{FIELDS} fields", len(fields))
    expiry, strike, right, close, interest = (fields[place] for place in (0, 1, 2, 6, 8))
    if not expiry:
        return UniverseRow(option=None, close=plain_price(close), open_interest=None, greeks=None)
    option = Option(
        symbol=symbol,
        expiry=parse_date("expiry", expiry),
        right=Right.parse(right),
        strike=plain_price(strike),
        trading_class=symbol,
    )
    return UniverseRow(
        option=option,
        close=None,
        open_interest=whole(interest) if interest else None,
        greeks=_greeks(at, fields[9:]),
    )


def _greeks(at: datetime, fields: Sequence[str]) -> OptionGreeks | None:
    values = {name: model_value(name, text) for name, text in zip(MODEL_VALUES, fields, strict=True)}
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
