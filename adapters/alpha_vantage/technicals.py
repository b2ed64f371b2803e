"""RSI, MACD, BBANDS, ATR of one-minute bars: how each is asked for, and its newest value read.

The vendor dates values in New York time by the bar's beginning, as our bars are; a table that says that it is
of another symbol, interval or time zone is refused as a whole. Keep out: HTTP, computing
indicators of our own (`adapters/indicators`).
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import nlargest
from typing import Any

from adapters.alpha_vantage.rows import estimate, object_row, refused_row
from adapters.venue.payload import ROW_ERRORS
from trading.errors import InvalidFieldError
from trading.model.market import RefusedRow, TechnicalReading
from trading.model.symbols import is_same_symbol, vendor_symbol
from trading.model.times import NEW_YORK, aware_utc
from trading.ports.vendor_source import TechnicalRead

FEED = "technicals"
SOURCE = "alpha_vantage"
INTERVAL = "1min"
META = "Meta Data"
TABLE_PREFIX = "Technical Analysis"
AHEAD_MAX = timedelta(minutes=5)  # of the vendor's clock before ours
ROWS_TRIED_MAX = 5  # the newest ones; a table with more wrong ones than that has no value
META_NAME = re.compile(r"\d+[:.] *(.+)")  # "1: Symbol", "7: Time Zone"; the numbers differ by indicator
TIME_ZONES = frozenset({"us/eastern", "us/eastern time", "america/new_york"})
TIME_FORMATS = ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S")


@dataclass(frozen=True, slots=True)
class _Indicator:
    """What is asked for, and our names of what comes."""

    params: Mapping[str, str]
    names: Mapping[str, str]


INDICATORS: Mapping[str, _Indicator] = {
    "RSI": _Indicator({"time_period": "14", "series_type": "close"}, {"RSI": "rsi"}),
    "MACD": _Indicator(
        {"series_type": "close", "fastperiod": "12", "slowperiod": "26", "signalperiod": "9"},
        {"MACD": "macd", "MACD_Signal": "signal", "MACD_Hist": "histogram"},
    ),
    "BBANDS": _Indicator(
        {"time_period": "20", "series_type": "close", "nbdevup": "2", "nbdevdn": "2", "matype": "0"},
        {"Real Upper Band": "upper", "Real Middle Band": "middle", "Real Lower Band": "lower"},
    ),
    "ATR": _Indicator({"time_period": "14"}, {"ATR": "atr"}),
}


def params_of(symbol: str, indicator: str) -> dict[str, str]:
    """The question for an indicator."""
    asked = {"function": indicator, "symbol": vendor_symbol(symbol), "interval": INTERVAL}
    return {**asked, **INDICATORS[indicator].params}


def read_technical(document: Mapping[str, Any], symbol: str, indicator: str, at: datetime) -> TechnicalRead:
    """Read the newest value that is one; rows before it that are none are refused, and an answer without any
    is none.
    """
    table = next((told for name, told in document.items() if name.startswith(TABLE_PREFIX)), None)
    try:
        if table is None and META not in document and document:
            raise InvalidFieldError("answer", f"a table {TABLE_PREFIX}", sorted(document)[:3])
        rows = object_row(table) if table else {}
        if not rows:
            return TechnicalRead(reading=None)
        _check_meta(document.get(META), symbol)
    except ROW_ERRORS as error:
        return TechnicalRead(reading=None, refused=(refused_row(symbol, FEED, at, error, dict(document)),))
    refused: list[RefusedRow] = []
    for moment in nlargest(ROWS_TRIED_MAX, rows):
        try:
            reading = _reading(moment, object_row(rows[moment]), symbol, indicator, at)
            return TechnicalRead(reading=reading, refused=tuple(refused))
        except ROW_ERRORS as error:
            refused.append(refused_row(symbol, FEED, at, error, {moment: rows[moment]}))
    return TechnicalRead(reading=None, refused=tuple(refused))


def _check_meta(told: object, symbol: str) -> None:
    """What the table says of itself, where it does, must be what was asked for."""
    meta = told if isinstance(told, Mapping) else {}
    named = {match[1].lower(): value for name, value in meta.items() if (match := META_NAME.fullmatch(name))}
    of, interval, zone = (named.get(name) for name in ("symbol", "interval", "time zone"))
    if of is not None and not (isinstance(of, str) and is_same_symbol(of, symbol)):
        raise InvalidFieldError("Symbol", symbol, of)
    if interval is not None and interval != INTERVAL:
        raise InvalidFieldError("Interval", INTERVAL, interval)
    if zone is not None and not (isinstance(zone, str) and zone.strip().lower() in TIME_ZONES):
        raise InvalidFieldError("Time Zone", "New York's", zone)


def _reading(
    moment: str, row: Mapping[str, object], symbol: str, indicator: str, at: datetime
) -> TechnicalReading:
    values = {ours: _value(row, theirs) for theirs, ours in INDICATORS[indicator].names.items()}
    reason = nonsense(indicator, values)
    if reason:
        raise InvalidFieldError(indicator, reason, dict(values))
    told_at = _moment(moment)
    if told_at > at + AHEAD_MAX:
        raise InvalidFieldError("time", f"a moment until {at}", moment)
    return TechnicalReading(
        symbol=symbol, indicator=indicator, at=told_at, interval=INTERVAL, source=SOURCE, values=values
    )


def nonsense(indicator: str, values: Mapping[str, float]) -> str:
    """What is expected of the values and is not so; empty where they can be."""
    if indicator == "RSI" and not 0.0 <= values["rsi"] <= 100.0:
        return "a number from 0 to 100"
    if indicator == "ATR" and values["atr"] < 0.0:
        return "zero or more"
    if indicator == "BBANDS" and not values["lower"] <= values["middle"] <= values["upper"]:
        return "lower, middle and upper in this order"
    return ""


def _value(row: Mapping[str, object], name: str) -> float:
    told = estimate(row, name)
    if told is None or not math.isfinite(told):
        raise InvalidFieldError(name, "a finite number", row.get(name))
    return told


def _moment(text: str) -> datetime:
    for form in TIME_FORMATS:
        try:
            return aware_utc("time", datetime.strptime(text, form).replace(tzinfo=NEW_YORK))
        except ValueError:
            continue
    raise InvalidFieldError("time", "yyyy-mm-dd hh:mm in New York", text)
