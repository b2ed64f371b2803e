"""Poll a vendor of market data: chains, indicators, news of each symbol, within its plan and its moods.

What goes wrong without this shape: one symbol that the vendor cannot answer takes the budget of all (hence a
breaker for each symbol and feed); a refusal that comes with status 200 reads as an empty chain (hence typed
refusals, each with its consequence); a request that is not counted because the process died (hence the ledger
is written before it leaves). While the vendor has no budget or says no, indicators are computed from our own
bars, and say so by their source. Keep out: what becomes of an answer's rows (`publish_answers`).

A poller as `trading.feeds.poller` describes it: no clock, no thread, no socket. Cadences, limits and breakers
run on this machine's clock, hours and rows on the market's. Outside regular hours nothing is asked.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from trading.calendar import is_rth
from trading.errors import DeskError, LiveStateUnavailableError
from trading.feeds.breaker import Breaker, BreakerLimits, BreakerState, BreakerTransition
from trading.feeds.limiter import DAY, RequestLimiter, Turn
from trading.feeds.poller import Moment, Poll, Poller
from trading.feeds.refusal_alerts import RefusalAlerts
from trading.feeds.retry import RetryPolicy
from trading.feeds.vendor_plan import CHAINS, SENTIMENT, TECHNICALS, VendorPlan, pace_of, questions_of
from trading.feeds.vendor_task import VendorPoll, VendorTask, health_of
from trading.ports.alerts import Alerts
from trading.ports.feed_health import FeedHealth
from trading.ports.indicators import Indicators
from trading.ports.market_state import MarketSink, MarketState
from trading.ports.request_ledger import RequestLedger
from trading.ports.vendor_monitor import VendorMonitor
from trading.ports.vendor_source import (
    RefusalKind,
    TechnicalRead,
    VendorRefusedError,
    VendorSource,
    VendorUnavailableError,
)
from trading.services.publish_answers import AnswerPublisher

RATE_PAUSE = timedelta(seconds=60)  # after "too often": a window of the vendor's is over then
DAILY_PAUSE = timedelta(hours=1)  # nobody says when a vendor's day ends; asked again so often
KEY_PAUSE = timedelta(minutes=15)  # a person mends a key; asked again so often
ASKED_PAUSE_MAX_S = 3_600.0  # of a vendor that says how long it is busy; longer is not believed
REFUSED_REST_S = 3_600.0  # a function that the plan does not include, a symbol that the vendor does not know
ROUNDS_UNTIL_STALE = 6  # rounds of a feed without a row
STALE_LEAST_S = 60.0
BAR_LAG_S = 180.0  # the newest whole minute, told with some delay

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorTools:
    """What the poller asks, writes and tells; `chance` gives 0 to below 1; no `local`: nobody computes."""

    source: VendorSource
    sink: MarketSink
    state: MarketState | None
    ledger: RequestLedger
    monitor: VendorMonitor | None
    local: Indicators | None
    alerts: Alerts
    chance: Callable[[], float]


class VendorPoller(Poller):
    """One key of one vendor. `speed` is market seconds in a second of this machine."""

    def __init__(
        self,
        plan: VendorPlan,
        tools: VendorTools,
        retry: RetryPolicy,
        breaker: BreakerLimits,
        now: Moment,
        speed: float = 1.0,
    ) -> None:
        self._plan, self._tools, self._retry, self._speed = plan, tools, retry, speed
        self._pace = pace_of(plan, computes_technicals=tools.local is not None and tools.state is not None)
        self._breakers: dict[tuple[str, str], Breaker] = {}
        self._tasks = self._made(breaker, now)
        self._limiter: RequestLimiter | None = None
        self._refusals = RefusalAlerts(tools.alerts)
        self._key_refused_at: datetime | None = None
        self._key_refused_why = ""
        self._counts: Counter[str] = Counter()
        self._answers = AnswerPublisher(
            source=tools.source.name,
            plan=plan,
            sink=tools.sink,
            state=tools.state,
            monitor=tools.monitor,
            speed=speed,
            counts=self._counts,
        )

    @property
    def source(self) -> str:
        """The source's name in rows and on the board."""
        return self._tools.source.name

    def due(self, now: Moment, most: int) -> Sequence[Poll]:
        """The polls to start now, the longest due first; none outside regular hours."""
        if not is_rth(now.market):
            return ()
        limiter = self._counted(now)
        polls: list[VendorPoll] = []
        short: dict[str, Turn] = {}
        for task in sorted(self._tasks, key=lambda task: task.due_at):
            if len(polls) >= most or task.due_at > now.machine:
                break
            if task.is_asked:
                continue
            try:
                poll = self._poll(task, limiter, now, short)
            except LiveStateUnavailableError:
                if not polls:
                    raise
                break
            if poll is not None:
                task.is_asked = True
                polls.append(poll)
        return polls

    def take(self, poll: Poll, answer: object | DeskError, now: Moment) -> None:
        """Publish what came, or note what failed and when to ask again."""
        assert isinstance(poll, VendorPoll)
        task = poll.task
        task.is_asked = False
        task.due_at = max(now.machine, poll.asked_at.machine + task.every)
        if isinstance(answer, DeskError):
            self._failed(poll, answer, now)
            return
        told, refused = self._answers.publish(poll, answer, now)
        if refused and not told:
            why = f"{self.source} {task.question.feed} {task.question.symbol}: all of {refused} rows refused"
            self._failed(poll, VendorUnavailableError(why), now)
            return
        task.failures = 0
        if not poll.is_local:
            task.breaker.succeeded(now.machine)
            self._refusals.answered(task.question)
            if self._key_refused_at is not None and poll.asked_at.machine > self._key_refused_at:
                self._key_refused_at, self._key_refused_why = None, ""

    def health(self, now: Moment) -> Sequence[FeedHealth]:
        """How each feed of each symbol is; stale limits are on the market's clock."""
        groups: dict[tuple[str, str], list[VendorTask]] = {}
        for task in self._tasks:
            groups.setdefault((task.question.feed, task.question.symbol), []).append(task)
        return [
            health_of(self.source, tasks, now.market, self._limit_s(tasks[0]), self._key_refused_why)
            for tasks in groups.values()
        ]

    def metrics(self, now: Moment) -> Mapping[str, str]:
        """The budget, what was asked, what was refused and why."""
        told = {
            "ts": now.market.isoformat(),
            "asked_less_often_by": f"{self._pace.stretch:.2f}",
            "indicators_from": "vendor" if self._pace.asks_technicals else "local",
            "breakers_open": str(sum(b.rests_until is not None for b in self._breakers.values())),
            "limit_minute": str(self._plan.limits.per_minute),
            "limit_day": str(self._plan.limits.per_day),
            **{name: str(count) for name, count in sorted(self._counts.items())},
        }
        if self._limiter is None:
            return told
        usage = self._limiter.usage(now.machine)
        held = self._limiter.held(now.machine)
        return {**told, "requests_minute": str(usage.minute), "requests_day": str(usage.day), "held": held}

    def take_changes(self) -> Sequence[BreakerTransition]:
        """The breakers' changes since the last call."""
        return [change for breaker in self._breakers.values() for change in breaker.take_changes()]

    def _made(self, limits: BreakerLimits, now: Moment) -> list[VendorTask]:
        """Every question with its first date: the questions of a feed spread over its cadence."""
        questions = questions_of(self._plan)
        counts, places = Counter(question.feed for question in questions), Counter[str]()
        tasks = []
        for question in questions:
            is_stretched = question.feed != TECHNICALS or self._pace.asks_technicals
            seconds = self._plan.cadences.of(question.feed) * (self._pace.stretch if is_stretched else 1.0)
            every = timedelta(seconds=seconds)
            place = places[question.feed]
            places[question.feed] += 1
            tasks.append(
                VendorTask(
                    question=question,
                    every=every,
                    due_at=now.machine + every * place / counts[question.feed],
                    breaker=self._breakers.setdefault(
                        (question.feed, question.symbol),
                        Breaker(
                            source=self.source, feed=question.feed, symbol=question.symbol, limits=limits
                        ),
                    ),
                )
            )
        return tasks

    def _counted(self, now: Moment) -> RequestLimiter:
        """The limiter, begun with what the ledger has."""
        if self._limiter is None:
            spent = self._tools.ledger.spent(self.source, now.machine - DAY - RATE_PAUSE)
            self._limiter = RequestLimiter(self._plan.limits, spent, now.machine)
        return self._limiter

    def _poll(
        self, task: VendorTask, limiter: RequestLimiter, now: Moment, short: dict[str, Turn]
    ) -> VendorPoll | None:
        """The question to the vendor where it may be asked, else to our own formulas, else none yet.

        `short` are the feeds that got no turn in this round.
        """
        feed = task.question.feed
        if feed == TECHNICALS and not self._pace.asks_technicals:
            return self._computed(task, now)
        if task.breaker.is_shut(now.machine):
            return self._instead(task, now)
        turn = short.get(feed) or limiter.ask(feed, now.machine)
        if not turn.allowed:
            short[feed] = turn
            is_long = turn.wait_s > task.every.total_seconds()
            return self._instead(task, now) if is_long else None
        if not task.breaker.allows(now.machine):
            return None
        self._tools.ledger.spend(self.source, now.machine)
        self._counts["requests"] += 1
        return VendorPoll(
            feed=feed,
            symbol=task.question.symbol,
            ask=self._question(task, now),
            task=task,
            asked_at=now,
        )

    def _instead(self, task: VendorTask, now: Moment) -> VendorPoll | None:
        return self._computed(task, now) if task.question.feed == TECHNICALS else None

    def _computed(self, task: VendorTask, now: Moment) -> VendorPoll | None:
        """An indicator of our own bars; None where nobody computes."""
        local, state = self._tools.local, self._tools.state
        if local is None or state is None:
            return None
        symbol, indicator = task.question.symbol, task.question.indicator

        def compute() -> TechnicalRead:
            bars = state.read([symbol], chains=False)[symbol].checked("bars").bars
            return TechnicalRead(reading=local.newest(symbol, indicator, bars))

        self._counts["computed_here"] += 1
        return VendorPoll(feed=TECHNICALS, symbol=symbol, ask=compute, task=task, asked_at=now, is_local=True)

    def _question(self, task: VendorTask, now: Moment) -> Callable[[], object]:
        source, symbol, at = self._tools.source, task.question.symbol, now.market
        if task.question.feed == CHAINS:
            return lambda: source.chain(symbol, at)
        if task.question.feed == SENTIMENT:
            since = at - timedelta(seconds=self._plan.news_window_s)
            return lambda: source.news(symbol, since, at)
        return lambda: source.technical(symbol, task.question.indicator, at)

    def _failed(self, poll: VendorPoll, error: DeskError, now: Moment) -> None:
        """Each kind of failure has its consequence; only what is the symbol's own moves its breaker."""
        task, text = poll.task, str(error)
        task.failed(text)
        if poll.is_local:
            self._counts["computing_failed"] += 1
            return
        if isinstance(error, VendorRefusedError):
            self._counts[f"refused_{error.kind}"] += 1
            self._heed(task, error, now)
            return
        self._counts["answers_failed"] += 1
        wait_s = error.wait_s if isinstance(error, VendorUnavailableError) else None
        if wait_s and self._limiter is not None:
            until = now.machine + timedelta(seconds=min(wait_s, ASKED_PAUSE_MAX_S))
            self._limiter.hold(until, "the vendor asks to wait")
        delay_s = self._retry.delay_s(task.failures, self._tools.chance())
        if delay_s is None or task.breaker.state is BreakerState.HALF_OPEN:  # a trial is one request
            task.failures = 0
            task.breaker.failed(now.machine, text)
            _log.warning("vendor_failed %s", text)
        else:
            task.due_at = now.machine + timedelta(seconds=delay_s)

    def _heed(self, task: VendorTask, error: VendorRefusedError, now: Moment) -> None:
        machine, text = now.machine, str(error)
        assert self._limiter is not None
        task.failures = 0
        self._refusals.refused(error.kind, text, task.question)
        if error.kind is RefusalKind.RATE:
            self._limiter.hold(machine + RATE_PAUSE, "the vendor says that it is asked too often")
        elif error.kind is RefusalKind.DAILY:
            self._limiter.hold(machine + DAILY_PAUSE, "the vendor says that the day's requests are spent")
        elif error.kind is RefusalKind.KEY:
            self._key_refused_at, self._key_refused_why = machine, text
            self._limiter.hold(machine + KEY_PAUSE, "the vendor refuses the key")
        elif error.kind in (RefusalKind.PREMIUM, RefusalKind.SYMBOL):
            task.breaker.trip(machine, text, REFUSED_REST_S)
        else:
            task.breaker.failed(machine, text)

    def _limit_s(self, task: VendorTask) -> float | None:
        """After which age a feed is stale, in market seconds; chains that are not live are always old."""
        if task.question.feed == CHAINS and not self._plan.live_chains:
            return None
        rounds = task.every.total_seconds() * ROUNDS_UNTIL_STALE
        lag = BAR_LAG_S if task.question.feed == TECHNICALS else 0.0
        return max(STALE_LEAST_S, rounds) * self._speed + lag
