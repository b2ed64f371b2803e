"""One value of the index as a source told it, checked: what is no value of an index is refused by name.

Keep out: sources' formats, what follows from the value.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from trading.errors import InvalidFieldError
from trading.model.market import VolatilitySource
from trading.model.money import parse_decimal
from trading.model.times import aware_utc

INDEX = "VIX1D"
VALUE_MAX = Decimal(1_000)  # points; the highest one-day value of April 2025 was below 120
VALUE_PLACES = 6  # of the exchange's own file


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """The index at `at`, the source's own time."""

    at: datetime
    value: Decimal
    source: VolatilitySource


def observed(source: VolatilitySource, at: datetime, value: object) -> Observation:
    """Check time and value; raises InvalidFieldError."""
    points = parse_decimal("value", value, places=VALUE_PLACES)
    if not 0 < points < VALUE_MAX:
        raise InvalidFieldError("value", f"points above 0 and below {VALUE_MAX}", value)
    return Observation(at=aware_utc("at", at), value=points, source=source)
