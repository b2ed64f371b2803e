"""The regime of the day from the one-day index: a table of limits, read from the worst down.

SHOCK and UNKNOWN veto 0DTE, so what is not known never makes the day look calmer than it is known to be: an
old value is UNKNOWN whatever it says, a change or a z-score that is missing can raise nothing, and BENIGN
needs a z-score. Limits are reached at the value itself (25 is ELEVATED); an age of exactly the limit is not
older than it.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from trading.calendar import is_rth
from trading.market_settings import VolatilitySettings
from trading.model.market import Regime, VolatilityReading


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """What is known of the index: its value, its changes, how unusual it is, and how old the value is."""

    value: Decimal
    change_5m: Decimal | None
    change_1h: Decimal | None
    z_score: float | None
    age_s: float
    in_session: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgment:
    """A regime and the limit that made it."""

    regime: Regime
    reason: str


def judge(seen: Movement, limits: VolatilitySettings) -> Judgment:
    """Say which regime it is, by the first limit that is reached."""
    if seen.in_session and seen.age_s > limits.stale_after_s:
        return _too_old(seen.age_s)
    shock = _reached(seen, limits.shock_at, limits.shock_change_5m)
    if shock:
        return Judgment(regime=Regime.SHOCK, reason=shock)
    elevated = _elevated(seen, limits)
    if elevated:
        return Judgment(regime=Regime.ELEVATED, reason=elevated)
    if seen.value <= limits.benign_at and seen.z_score is not None and seen.z_score <= limits.benign_z:
        reason = f"{seen.value} is {limits.benign_at} or less, z {seen.z_score:.2f}"
        return Judgment(regime=Regime.BENIGN, reason=reason)
    return Judgment(regime=Regime.NORMAL, reason="no limit reached")


def standing(reading: VolatilityReading | None, now: datetime, limits: VolatilitySettings) -> Judgment:
    """What a reader of the live market may go by; none, and one whose writer has died, are UNKNOWN."""
    if reading is None:
        return Judgment(regime=Regime.UNKNOWN, reason="nobody tells the index")
    age_s = (now - reading.at).total_seconds()
    if is_rth(now) and age_s > limits.stale_after_s:
        return _too_old(age_s)
    return Judgment(regime=reading.regime, reason=reading.reason)


def _too_old(age_s: float) -> Judgment:
    return Judgment(regime=Regime.UNKNOWN, reason=f"{age_s / 60:.0f} min old in session")


def _reached(seen: Movement, level: Decimal, change: Decimal) -> str:
    if seen.value >= level:
        return f"{seen.value} is {level} or more"
    if seen.change_5m is not None and seen.change_5m >= change:
        return f"5-minute change {seen.change_5m:+} is {change} or more"
    return ""


def _elevated(seen: Movement, limits: VolatilitySettings) -> str:
    if seen.value >= limits.elevated_at:
        return f"{seen.value} is {limits.elevated_at} or more"
    if seen.change_1h is not None and seen.change_1h >= limits.elevated_change_1h:
        return f"1-hour change {seen.change_1h:+} is {limits.elevated_change_1h} or more"
    if seen.z_score is not None and seen.z_score >= limits.elevated_z:
        return f"z {seen.z_score:.2f} is {limits.elevated_z} or more"
    return ""
