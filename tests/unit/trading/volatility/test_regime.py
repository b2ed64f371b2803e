"""The regime at each of its limits, exactly on them and one hundredth beside them."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from volatility_samples import at, default_limits, new_york

from trading.model.market import Regime
from trading.volatility.regime import Movement, judge, standing
from trading.volatility.tracker import VolatilityTracker

LIMITS = default_limits()
SHOCK, ELEVATED, NORMAL, BENIGN, UNKNOWN = (
    Regime.SHOCK, Regime.ELEVATED, Regime.NORMAL, Regime.BENIGN, Regime.UNKNOWN,
)  # fmt: skip


def seen(
    value: str = "20", five: str | None = "0", hour: str | None = "0", z: float | None = 0.0,
    age_s: float = 0, in_session: bool = True,
) -> Movement:  # fmt: skip
    """A movement, calm where nothing is said."""
    return Movement(
        value=Decimal(value),
        change_5m=None if five is None else Decimal(five),
        change_1h=None if hour is None else Decimal(hour),
        z_score=z,
        age_s=age_s,
        in_session=in_session,
    )


@pytest.mark.parametrize(
    ("movement", "regime"),
    [
        (seen("35"), SHOCK),
        (seen("34.999999"), ELEVATED),
        (seen("20", five="5"), SHOCK),
        (seen("20", five="4.99"), NORMAL),
        (seen("20", five="-5"), NORMAL),
        (seen("25"), ELEVATED),
        (seen("24.99"), NORMAL),
        (seen("20", hour="2"), ELEVATED),
        (seen("20", hour="1.99"), NORMAL),
        (seen("20", hour="-2"), NORMAL),
        (seen("20", z=1.5), ELEVATED),
        (seen("20", z=1.4999), NORMAL),
        (seen("18", z=-1.0), BENIGN),
        (seen("18.01", z=-1.0), NORMAL),
        (seen("18", z=-0.9999), NORMAL),
        (seen("10", hour="2", z=-3.0), ELEVATED),
        (seen("10", five="5", z=-3.0), SHOCK),
        (seen("20", age_s=900), NORMAL),
        (seen("20", age_s=900.001), UNKNOWN),
        (seen("40", age_s=901), UNKNOWN),
        (seen("20", age_s=90_000, in_session=False), NORMAL),
        (seen("40", age_s=90_000, in_session=False), SHOCK),
        (seen("20", age_s=-30), NORMAL),
    ],
)
def test_every_limit_is_reached_at_its_own_value(movement, regime):
    """Page 40's table: at or above shocks and elevates, at or below is benign, older than is unknown."""
    assert judge(movement, LIMITS).regime is regime


@pytest.mark.parametrize(
    ("movement", "regime"),
    [
        (seen("20", five=None, hour=None, z=None), NORMAL),
        (seen("10", five=None, hour=None, z=None), NORMAL),
        (seen("10", five=None, hour=None, z=-1.0), BENIGN),
        (seen("25", five=None, hour=None, z=None), ELEVATED),
        (seen("35", five=None, hour=None, z=None), SHOCK),
    ],
)
def test_what_is_missing_raises_nothing_and_calms_nothing(movement, regime):
    """Without changes and z-score the level alone speaks, and no day is benign without a z-score."""
    assert judge(movement, LIMITS).regime is regime


def test_the_reason_names_the_limit():
    """Whoever is vetoed reads why."""
    assert judge(seen("20", five="6.1"), LIMITS).reason == "5-minute change +6.1 is 5 or more"
    assert judge(seen("26"), LIMITS).reason == "26 is 25 or more"
    assert judge(seen("20", age_s=1080), LIMITS).reason == "18 min old in session"


@pytest.mark.parametrize(
    ("clock", "regime"), [("10:15:00", NORMAL), ("10:15:01", UNKNOWN), ("16:00:00", NORMAL)]
)
def test_a_reader_does_not_rely_on_a_living_writer(clock, regime):
    """The last words of a process that died grow old on the reader's clock, too, while the market is open."""
    tracker = VolatilityTracker(LIMITS)
    tracker.hear(at("10:00", "20"), new_york("10:00"))
    reading = tracker.reading(new_york("10:00"))
    assert standing(reading, new_york(clock), LIMITS).regime is regime


def test_no_reading_is_unknown_at_any_time():
    """Nobody tells is no calm."""
    assert standing(None, new_york("10:00"), LIMITS).regime is UNKNOWN
    assert standing(None, new_york("20:00"), LIMITS).regime is UNKNOWN


maybe = st.none() | st.decimals("-20", "20", places=2)
movements = st.builds(
    Movement,
    value=st.decimals("1", "99", places=2),
    change_5m=maybe,
    change_1h=maybe,
    z_score=st.none() | st.floats(-5, 5),
    age_s=st.floats(0, 2_000),
    in_session=st.booleans(),
)
CALM_TO_WORST = (BENIGN, NORMAL, ELEVATED, SHOCK, UNKNOWN)


def rank(movement: Movement) -> int:
    """How bad it is."""
    return CALM_TO_WORST.index(judge(movement, LIMITS).regime)


@given(movements, st.decimals("0", "50", places=2))
def test_a_higher_index_is_never_calmer(movement, more):
    """More volatility, a larger rise or a higher z-score never makes a better regime."""
    assert rank(replace(movement, value=movement.value + more)) >= rank(movement)
    if movement.change_5m is not None:
        assert rank(replace(movement, change_5m=movement.change_5m + more)) >= rank(movement)
    if movement.change_1h is not None:
        assert rank(replace(movement, change_1h=movement.change_1h + more)) >= rank(movement)
    if movement.z_score is not None:
        assert rank(replace(movement, z_score=movement.z_score + float(more))) >= rank(movement)


@given(movements)
def test_old_in_session_is_unknown_and_nothing_else_is(movement):
    """UNKNOWN means exactly that the value is older than the limit while the market is open."""
    is_old = movement.in_session and movement.age_s > LIMITS.stale_after_s
    assert (judge(movement, LIMITS).regime is UNKNOWN) == is_old
