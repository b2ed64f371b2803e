"""What all sources told, and the reading of any moment. Bounded; time is an argument.

A value that is dated ahead of the market's clock is refused: it would not grow old, and its UNKNOWN would not
come. One that is dated before what its source told already is put in its place and changes nothing else.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from trading.calendar import is_rth, trading_session
from trading.errors import InvalidFieldError
from trading.market_settings import VolatilitySettings
from trading.model.market import VolatilityReading, VolatilitySource
from trading.volatility.observation import INDEX, Observation
from trading.volatility.regime import Movement, judge
from trading.volatility.same_time import SameTime
from trading.volatility.series import FIVE_MINUTES, ONE_HOUR, SourceSeries
from trading.volatility.source_choice import choose

PAUSE_S = 3  # of this machine, which is no silence of a market that is played fast


def paced(limits: VolatilitySettings, speed: int) -> VolatilitySettings:
    """The limits for a simulated market at so many times the speed; how old is UNKNOWN stays as it is."""
    return replace(
        limits,
        fresh_for_s=min(limits.stale_after_s, max(limits.fresh_for_s, PAUSE_S * speed)),
        clock_ahead_max_s=max(limits.clock_ahead_max_s, PAUSE_S * speed),
    )


@dataclass(slots=True)
class VolatilityTracker:
    """The index over all its sources; one caller's thread only."""

    settings: VolatilitySettings
    history: SameTime = field(init=False)
    _series: dict[VolatilitySource, SourceSeries] = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing heard."""
        self.history = SameTime(self.settings.sessions_max, self.settings.samples_min)
        self._series = {source: SourceSeries() for source in VolatilitySource}

    def hear(self, observation: Observation, now: datetime) -> None:
        """Take in what a source told; raises InvalidFieldError where it is dated ahead."""
        ahead = timedelta(seconds=self.settings.clock_ahead_max_s)
        if observation.at > now + ahead:
            raise InvalidFieldError(
                "at", f"a time up to {ahead.total_seconds():g} s after {now:%H:%M:%S}", observation.at
            )
        self._series[observation.source].add(observation)

    def newest(self, source: VolatilitySource) -> Observation | None:
        """What a source told last, by its own time."""
        told = self._series[source].newest
        return None if told is None else Observation(at=told[0], value=told[1], source=source)

    def is_fresh(self, source: VolatilitySource, now: datetime) -> bool:
        """Whether a source told something lately."""
        told = self._series[source].newest
        return told is not None and now - told[0] <= timedelta(seconds=self.settings.fresh_for_s)

    def reading(self, now: datetime) -> VolatilityReading | None:
        """The index as it stands at `now` with its regime; None where no source has told anything."""
        heard = [told for source in VolatilitySource if (told := self.newest(source)) is not None]
        chosen = choose(heard, now, timedelta(seconds=self.settings.fresh_for_s))
        return None if chosen is None else self._judged(chosen, now)

    def _judged(self, chosen: Observation, now: datetime) -> VolatilityReading:
        series = self._series[chosen.source]
        unusual = self.history.unusual(chosen.at, chosen.value)
        seen = Movement(
            value=chosen.value,
            change_5m=self._change(series, chosen, FIVE_MINUTES),
            change_1h=self._change(series, chosen, ONE_HOUR),
            z_score=unusual.z_score,
            age_s=(now - chosen.at).total_seconds(),
            in_session=is_rth(now),
        )
        judgment = judge(seen, self.settings)
        return VolatilityReading(
            index=INDEX,
            at=chosen.at,
            value=chosen.value,
            source=chosen.source,
            regime=judgment.regime,
            judged_at=now,
            change_5m=seen.change_5m,
            change_1h=seen.change_1h,
            z_score=seen.z_score,
            samples=unusual.samples,
            reason=_mark(chosen, now) + judgment.reason,
        )

    @staticmethod
    def _change(series: SourceSeries, chosen: Observation, window: timedelta) -> Decimal | None:
        is_daily = chosen.source is VolatilitySource.CBOE_HISTORY
        return None if is_daily else series.change(window)


def _mark(chosen: Observation, now: datetime) -> str:
    """Whose day a value is of that is not of today."""
    session = trading_session(chosen.at)
    if chosen.source is VolatilitySource.CBOE_HISTORY:
        return f"the close of {session}; "
    return f"of {session}; " if session < trading_session(now) else ""
