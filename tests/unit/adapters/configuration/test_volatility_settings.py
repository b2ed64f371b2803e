"""Limits of the regime that contradict each other are refused by name before anything is judged by them."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from adapters.configuration import load_settings
from adapters.configuration.loading import SESSIONS_KEPT_MAX, check_volatility
from adapters.home_folder import volatility_record
from trading.errors import ConfigurationError

SHIPPED = load_settings({}).volatility


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"every_s": 0}, "volatility.every_s: expected 1 or more, was 0"),
        ({"standby_every_s": -1}, "volatility.standby_every_s: expected 0 or more"),
        ({"benign_at": Decimal(25)}, "benign_at, elevated_at, shock_at: expected 0 < rising, was 25, 25, 35"),
        ({"shock_at": Decimal(20)}, "expected 0 < rising"),
        ({"shock_change_5m": Decimal(0)}, "shock_change_5m, elevated_change_1h: expected points above 0"),
        ({"benign_z": Decimal(2)}, "volatility.benign_z: expected less than elevated_z"),
        ({"fresh_for_s": 901}, "volatility.fresh_for_s: expected stale_after_s or less"),
        ({"samples_min": 1}, "samples_min, sessions_max: expected 2 or more"),
        ({"samples_min": 61}, "was 61, 60"),
        ({"sessions_max": 91}, "at most 90"),
    ],
)
def test_limits_that_contradict_each_other_are_refused(changes: dict[str, Any], words: str) -> None:
    """Each by the name of its setting."""
    with pytest.raises(ConfigurationError) as refusal:
        check_volatility(replace(SHIPPED, **changes))
    assert words in str(refusal.value)


def test_what_is_shipped_and_no_standby_are_right() -> None:
    """Zero is "not at all" for the standby alone."""
    check_volatility(SHIPPED)
    check_volatility(replace(SHIPPED, standby_every_s=0))


def test_as_many_sessions_are_kept_as_may_be_asked_for() -> None:
    """The record on this machine is as long as the longest setting."""
    assert volatility_record.SESSIONS_KEPT_MAX == SESSIONS_KEPT_MAX
