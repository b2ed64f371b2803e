"""Instruments as warehouse text: the contract's own fields as canonical JSON, and back.

Cached, for few contracts have many fills.
"""

from dataclasses import fields
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

import orjson

from trading.errors import WarehouseError
from trading.model.instruments import (
    CurrencyPair,
    Equity,
    Event,
    Future,
    Instrument,
    Option,
    Perpetual,
    Right,
)
from trading.model.money import canonical

CONTRACTS_CACHED_MAX = 65_536
CLASSES: dict[str, type[Any]] = {
    kind.asset_class: kind for kind in (Option, Future, Perpetual, Event, Equity, CurrencyPair)
}
INSTRUMENT_COLUMNS = ("instrument_id", "instrument", "conid", "asset_class", "symbol", "underlying")


def instrument_cells(instrument: Instrument, conid: int | None) -> tuple[object, ...]:
    """Return the values of INSTRUMENT_COLUMNS."""
    return (
        instrument.instrument_id,
        instrument_text(instrument),
        conid,
        instrument.asset_class,
        instrument.symbol,
        instrument.underlying,
    )


def instrument_text(instrument: Instrument) -> str:
    """Print as canonical JSON; equal instruments print alike, but for a conid outside of equality."""
    return _printed(instrument, getattr(instrument, "conid", None))


@lru_cache(maxsize=CONTRACTS_CACHED_MAX)
def instrument_value(text: str) -> Instrument:
    """Rebuild the value from its text; raises WarehouseError for text that this code did not write."""
    document = orjson.loads(text or "{}")
    kind = CLASSES.get(document.pop("asset_class", ""))
    if kind is None:
        raise WarehouseError(f"instrument: expected canonical JSON of a contract, was {text[:200]!r}")
    read = {item.name: _read(item.name, item.type, document[item.name]) for item in fields(kind)}
    value: Instrument = kind(**read)
    return value


@lru_cache(maxsize=CONTRACTS_CACHED_MAX)
def _printed(instrument: Instrument, conid: int | None) -> str:
    document: dict[str, object] = {"asset_class": instrument.asset_class}
    for item in fields(instrument):
        document[item.name] = _plain(getattr(instrument, item.name))
    return orjson.dumps(document).decode()


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return canonical(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Right) else value


def _read(name: str, kind: Any, value: object) -> object:
    if kind is Decimal:
        return Decimal(str(value))
    if kind is date:
        return date.fromisoformat(str(value))
    return Right(str(value)) if kind is Right else value
