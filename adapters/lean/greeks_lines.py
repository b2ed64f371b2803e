"""The lines of a recording of the broker's model values: a file for each contract, a line for each tick.

``SPX230811C04300000.csv``: the OCC symbol without blanks. A header, then the moment in UTC with microseconds
and price, implied volatility, delta, gamma, vega (per volatility point), theta (per day) and the price of the
underlying, all by the broker's model. Keep out: what a chain is.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from adapters.lean.archives import text_lines
from adapters.lean.names import LeanFile
from adapters.lean.series import OUTSIDE, TWICE, Hours, Origin, Series, broken
from adapters.lean.universes import model_value
from adapters.lean.values import midnight
from trading.calendar import option_close, session_open
from trading.errors import InvalidFieldError
from trading.market.numbers import decimal_of
from trading.model.market import GreeksSource, OptionGreeks, RefusedRow
from trading.model.options import Option

COLUMNS = (
    "model_price",
    "model_impliedVol",
    "model_delta",
    "model_gamma",
    "model_vega",
    "model_theta",
    "model_undPrice",
)
TIME_FORM = "%Y%m%d %H:%M:%S.%f"
CLOCK = ZoneInfo("UTC")  # of the recording
SHOWN = 80  # characters of a line in a log

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class GreeksTick:
    """One line."""

    option: Option
    greeks: OptionGreeks
    spot: Decimal


def ticks_of(file: LeanFile, origin: Origin, session: date) -> Iterator[GreeksTick | RefusedRow]:
    """The lines of a session in a file; a file that breaks off, or has other columns, is a refusal."""
    opens = session_open(session)
    series = None
    try:
        option = Option.from_occ(file.path.stem)
        hours = Hours.between(midnight(session, CLOCK), opens, option_close(option, session))
        series = Series(symbol=option.symbol, instrument_id=option.instrument_id, origin=origin, hours=hours)
        yield from _told(option, series, file.path, session)
        yield from series.left_out()
    except InvalidFieldError as error:
        if series is not None:
            yield from series.left_out()
        yield broken("" if series is None else series.symbol, opens, error, origin)


def _told(option: Option, series: Series, path: Path, session: date) -> Iterator[GreeksTick | RefusedRow]:
    places: list[int] | None = None
    seen: set[datetime] = set()
    for number, text in text_lines(path):
        fields = text.split(",")
        if places is None:
            places = _places(fields)
            continue
        try:
            at = _moment(fields[0])
            if at.date() != session:
                continue
            tick = _tick(option, at, [fields[place] if place < len(fields) else "" for place in places])
        except InvalidFieldError as error:
            yield from series.refuse(error, (number, text))
            continue
        ms = (at - series.hours.midnight).total_seconds() * 1000
        if not series.hours.open_ms <= ms < series.hours.close_ms:
            series.leave_out(OUTSIDE, (number, text))
        elif at in seen:
            series.leave_out(TWICE, (number, text))
        else:
            seen.add(at)
            yield tick


def _tick(option: Option, at: datetime, fields: Sequence[str]) -> GreeksTick:
    told = dict(zip(COLUMNS, (model_value(*pair) for pair in zip(COLUMNS, fields, strict=True)), strict=True))
    volatility, spot = told["model_impliedVol"], told["model_undPrice"]
    if volatility is None:
        raise InvalidFieldError("model_impliedVol", "a finite number", "")
    if spot is None or spot <= 0:
        raise InvalidFieldError("model_undPrice", "a number above zero", spot)
    greeks = OptionGreeks(
        at=at,
        source=GreeksSource.IBKR,
        implied_volatility=volatility,
        delta=told["model_delta"],
        gamma=told["model_gamma"],
        vega=told["model_vega"],
        theta=told["model_theta"],
        price=told["model_price"],
        underlying_price=spot,
    )
    return GreeksTick(option=option, greeks=greeks, spot=decimal_of(spot))


def _places(header: Sequence[str]) -> list[int]:
    """Where each column stands: by its name, since recordings differ in their order."""
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise InvalidFieldError("header", f"a column {missing[0]}", ",".join(header))
    return [header.index(name) for name in COLUMNS]


def _moment(text: str) -> datetime:
    plain = text.replace("-", "", 2)  # 2023-08-04 is 20230804
    try:
        return datetime.strptime(plain if "." in plain else f"{plain}.0", TIME_FORM).replace(tzinfo=UTC)
    except ValueError as error:
        raise InvalidFieldError("time", "YYYYMMDD HH:MM:SS.ffffff in UTC", text) from error


def days_in(path: Path) -> frozenset[date] | None:
    """The days of a file; None for one that cannot be read, or of which no line says when it was."""
    try:
        lines = [text for _, text in text_lines(path)][1:]
    except InvalidFieldError:
        return None
    days = frozenset(day for text in lines if (day := _day(text)))
    if lines and not days:
        _log.warning("unreadable_times file=%s lines=%d first=%s", path.name, len(lines), lines[0][:SHOWN])
        return None
    return days


def _day(text: str) -> date | None:
    try:
        return _moment(text.split(",")[0]).date()
    except InvalidFieldError:
        return None
