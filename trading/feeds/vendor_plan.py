"""What a vendor is asked for, of which symbols, how often: and how much less often where the plan is small.

Every question of a round counts against one key. Where a round costs more than the plan allows, all cadences
are stretched alike, so that no feed starves another and the limiter is a guard, not the clock. Indicators are
left to our own formulas first: they are the only feed that somebody else can compute.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from trading.feeds.limiter import RateLimits
from trading.ports.vendor_source import INDICATOR_NAMES

CHAINS, TECHNICALS, SENTIMENT = "chain", "technicals", "sentiment"
USED_OF_PLAN = 0.95  # the rest is for retries
SESSION_MINUTES = 390
TECHNICALS_STRETCH_MAX = 2.0  # beyond it indicators are computed here


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadences:
    """Seconds of this machine between two questions for the same thing."""

    chains_s: float
    technicals_s: float
    sentiment_s: float

    def of(self, feed: str) -> float:
        """The cadence of a feed."""
        return {CHAINS: self.chains_s, TECHNICALS: self.technicals_s, SENTIMENT: self.sentiment_s}[feed]


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorPlan:
    """The symbols of each feed, their cadences, the limits of the key.

    `live_chains`: chains are as of now; else they are those of the newest session that the vendor has.
    """

    chains: tuple[str, ...]
    technicals: tuple[str, ...]
    sentiment: tuple[str, ...]
    cadences: Cadences
    limits: RateLimits
    news_window_s: int
    live_chains: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One thing that is asked again and again; `indicator` is empty but for technicals."""

    feed: str
    symbol: str
    indicator: str = ""

    @property
    def name(self) -> str:
        """As a person reads it."""
        return f"{self.feed} {self.symbol} {self.indicator}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How the plan is kept: cadences times `stretch`; whether indicators are asked for at all."""

    stretch: float
    asks_technicals: bool


def questions_of(plan: VendorPlan) -> tuple[Question, ...]:
    """Every question, symbol by symbol, so that neighbors in time are of different kinds."""
    symbols = sorted({*plan.chains, *plan.technicals, *plan.sentiment})
    found = []
    for symbol in symbols:
        if symbol in plan.chains:
            found.append(Question(feed=CHAINS, symbol=symbol))
        if symbol in plan.technicals:
            found += [Question(feed=TECHNICALS, symbol=symbol, indicator=name) for name in INDICATOR_NAMES]
        if symbol in plan.sentiment:
            found.append(Question(feed=SENTIMENT, symbol=symbol))
    return tuple(found)


def pace_of(plan: VendorPlan, *, computes_technicals: bool) -> Pace:
    """The pace that the plan allows; `computes_technicals`: somebody else can compute indicators."""
    questions = questions_of(plan)
    all_of_them = _stretch(plan, questions)
    if all_of_them <= TECHNICALS_STRETCH_MAX or not computes_technicals:
        return Pace(stretch=all_of_them, asks_technicals=True)
    rest = [question for question in questions if question.feed != TECHNICALS]
    return Pace(stretch=_stretch(plan, rest), asks_technicals=False)


def left_of_day(plan: VendorPlan, *, computes_technicals: bool) -> int:
    """Requests of the daily cap that a session of polling leaves, one at least; 0: there is no cap."""
    if not plan.limits.per_day:
        return 0
    pace = pace_of(plan, computes_technicals=computes_technicals)
    asked = [q for q in questions_of(plan) if pace.asks_technicals or q.feed != TECHNICALS]
    session = SESSION_MINUTES * _a_minute(plan, asked) / pace.stretch
    return max(1, int(plan.limits.per_day - session))


def _stretch(plan: VendorPlan, questions: Sequence[Question]) -> float:
    a_minute = _a_minute(plan, questions)
    stretch = max(1.0, a_minute / (plan.limits.per_minute * USED_OF_PLAN))
    if plan.limits.per_day:
        stretch = max(stretch, a_minute * SESSION_MINUTES / (plan.limits.per_day * USED_OF_PLAN))
    return stretch


def _a_minute(plan: VendorPlan, questions: Sequence[Question]) -> float:
    return sum(60.0 / plan.cadences.of(question.feed) for question in questions)
