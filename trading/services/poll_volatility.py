"""Polls the one-day volatility index: three sources, each on its own schedule, one reading with its regime.

A poller as `trading.feeds.poller` describes it. SHOCK and UNKNOWN veto 0DTE, so a reading is judged anew and
published after every poll, also a failed one: silence must become UNKNOWN by itself. What could not be
published is kept and comes with the next one.

Who is asked when: the broker's index, which lies in the live market, every `every_s`; Yahoo so often while
the broker's is not fresh, else every `standby_every_s`, so that its own changes are known when it takes over,
and by night seldom; the daily history and the earlier sessions every `history_every_s`. Failures are asked
again after a jittered backoff, and in the end left alone by a breaker, each source by itself.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from trading.calendar import trading_session
from trading.errors import DeskError, InvalidFieldError, OutboxFullError
from trading.feeds.breaker import BreakerLimits, BreakerTransition
from trading.feeds.poller import Moment, Poll, Poller
from trading.market_settings import VolatilitySettings
from trading.model.market import Quote, RefusedRow, VolatilityReading, VolatilitySource
from trading.ports.feed_health import FeedHealth, FeedState
from trading.ports.market_state import MarketSink, MarketState, SymbolUpdate
from trading.ports.volatility_source import (
    DailyFile,
    DailyHistory,
    DailyHistorySource,
    IndexQuotes,
    IndexQuoteSource,
    VolatilityRecord,
    VolatilityRecordError,
)
from trading.volatility.closes import readings_of
from trading.volatility.lane import FEED, Lane
from trading.volatility.observation import INDEX, Observation, observed
from trading.volatility.same_time import daily_minutes, index_close, is_told
from trading.volatility.tracker import VolatilityTracker
from trading.volatility.waiting import WaitingRows

NAME = "volatility"  # of the poller; its rows and feeds carry their own source
REGIME_FEED, DESK = "regime", "desk"
EARLIER = "yahoo_earlier"
IBKR = VolatilitySource.IBKR.value

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class VolatilityTools:
    """What the poller asks and writes; a source that is None is not asked. `chance` is 0 to below 1."""

    settings: VolatilitySettings
    market: MarketState
    sink: MarketSink
    record: VolatilityRecord
    quotes: IndexQuoteSource | None
    history: DailyHistorySource | None
    has_broker: bool
    chance: Callable[[], float]


class VolatilityPoller(Poller):
    """The index over its sources; all but the polls' `ask` in one thread."""

    def __init__(self, tools: VolatilityTools) -> None:
        settings = tools.settings
        limits = BreakerLimits(failures_max=settings.breaker_failures_max, open_s=settings.breaker_open_s)
        own = BreakerLimits(failures_max=settings.breaker_failures_max, open_s=settings.every_s)
        names = [IBKR]
        names += [VolatilitySource.YAHOO.value, EARLIER] if tools.quotes is not None else []
        names += [VolatilitySource.CBOE_HISTORY.value] if tools.history is not None else []
        self._tools, self._settings = tools, settings
        self._lanes = {name: Lane(name, limits) for name in names}
        self._lanes[IBKR] = Lane(IBKR, own)  # our own live market is not spared
        self._tracker = VolatilityTracker(settings)
        self._waiting = WaitingRows()
        self._daily: DailyFile | None = None
        self._daily_to_keep: DailyFile | None = None
        self._is_recalled = False
        self.reading: VolatilityReading | None = None  # as it was published last

    @property
    def source(self) -> str:
        """The poller's name."""
        return NAME

    def due(self, now: Moment, most: int) -> Sequence[Poll]:
        """Return the polls to start now; at the first call what was kept is read."""
        if not self._is_recalled:
            self._recall(now)
            self._is_recalled = True
        polls: list[Poll] = []
        for name, lane in self._lanes.items():
            every_s = self._every_s(name, now)
            if len(polls) < most and every_s and lane.is_due(now, every_s):
                lane.asked(now)
                polls.append(Poll(feed=name, symbol=INDEX, ask=self._question(name, now)))
        return polls

    def take(self, poll: Poll, answer: object | DeskError, now: Moment) -> None:
        """Take an answer or a failure in, then publish what the index is; raises what the sink raises."""
        lane = self._lanes[poll.feed]
        try:
            if isinstance(answer, DeskError):
                raise answer
            lane.succeeded(now, self._heard(lane, answer, now))
        except DeskError as error:
            lane.failed(now, error, self._tools.chance())
            is_first = lane.breaker.failures == 1  # the others are in the health
            level = logging.WARNING if is_first else logging.DEBUG
            _log.log(level, "volatility_source_failed source=%s error=%s", lane.name, error)
        self._publish(now)

    def health(self, now: Moment) -> Sequence[FeedHealth]:
        """How each source is, and how the regime is that is made of them."""
        feeds = [
            self._source_health(source, now) for source in VolatilitySource if source.value in self._lanes
        ]
        told = self.reading
        regime = FeedHealth(
            feed=REGIME_FEED,
            symbol=INDEX,
            source=DESK,
            state=FeedState.RUNNING,
            said_at=now.market,
            newest_at=None if told is None else told.at,
            rows=sum(lane.rows for lane in self._lanes.values()),
            errors=self._waiting.lost,
            limit_s=self._settings.stale_after_s,
            text="" if told is None else f"{told.regime} by {told.source}: {told.reason}",
        )
        return [*feeds, regime]

    def metrics(self, now: Moment) -> Mapping[str, str]:
        """The reading in figures, and what is not told yet."""
        told = self.reading
        if told is None:
            return {}
        return {
            "value": str(told.value),
            "regime": told.regime.value,
            "source": told.source.value,
            "age_s": f"{(now.market - told.at).total_seconds():.0f}",
            "rows_lost": str(self._waiting.lost),
        }

    def take_changes(self) -> Sequence[BreakerTransition]:
        """The breakers' changes since the last call."""
        return [change for lane in self._lanes.values() for change in lane.breaker.take_changes()]

    def _every_s(self, name: str, now: Moment) -> int:
        if name == VolatilitySource.IBKR:
            return self._settings.every_s
        if name == VolatilitySource.YAHOO and not is_told(now.market):
            return self._settings.closed_every_s
        if name == VolatilitySource.YAHOO:
            is_needed = not self._tracker.is_fresh(VolatilitySource.IBKR, now.market)
            return self._settings.every_s if is_needed else self._settings.standby_every_s
        return self._settings.history_every_s

    def _question(self, name: str, now: Moment) -> Callable[[], object]:
        quotes, history, kept = self._tools.quotes, self._tools.history, self._daily
        if name == VolatilitySource.YAHOO and quotes is not None:
            return quotes.today
        if name == EARLIER and quotes is not None:
            return quotes.earlier
        if name == VolatilitySource.CBOE_HISTORY and history is not None:
            return lambda: history.ask(kept, now.market)
        return self._ask_broker

    def _ask_broker(self) -> Quote | None:
        told = self._tools.market.read([INDEX], chains=False).get(INDEX)
        return None if told is None else told.checked("ticker").ticker

    def _heard(self, lane: Lane, answer: object, now: Moment) -> int:
        """Take a good answer in; returns how many values were new."""
        if isinstance(answer, Quote) and answer.last is not None:
            return self._take_in([self._checked(lane, answer, now)], now)
        if isinstance(answer, IndexQuotes):
            lane.refused += self._waiting.add_refused(VolatilitySource.YAHOO.value, answer.refused)
            if lane.name == EARLIER:
                return self._remember(answer.observations)
            return self._take_in(answer.observations, now)
        return self._take_daily(lane, answer, now) if isinstance(answer, DailyHistory) else 0

    def _checked(self, lane: Lane, quote: Quote, now: Moment) -> Observation:
        try:
            return observed(VolatilitySource.IBKR, quote.at, quote.last)
        except InvalidFieldError as error:
            row = RefusedRow(
                symbol=INDEX, feed=FEED, at=now.market.astimezone(UTC), field=error.field, reason=str(error),
                payload=str(quote.last),
            )  # fmt: skip
            lane.refused += self._waiting.add_refused(lane.name, [row])
            raise

    def _take_in(self, told: Sequence[Observation], now: Moment) -> int:
        """Hear what is newer than all before of one source; the live value is the last."""
        before = self._tracker.newest(told[-1].source) if told else None
        new = [each for each in told if before is None or each.at > before.at]
        for each in new:
            self._tracker.hear(each, now.market)
        self._remember(new)
        return len(new)

    def _remember(self, told: Sequence[Observation]) -> int:
        """Keep the first value of each minute, for the same time of later days."""
        new = [each for each in told if self._tracker.history.add(each.at, each.value)]
        try:
            if new:
                self._tools.record.note(new)
        except VolatilityRecordError as error:
            _log.warning("volatility_not_kept error=%s", error)
        return len(new)

    def _take_daily(self, lane: Lane, answer: DailyHistory, now: Moment) -> int:
        lane.refused += self._waiting.add_refused(lane.name, answer.refused)
        known = self._tracker.newest(VolatilitySource.CBOE_HISTORY)
        self._know_daily(answer, now.market)
        after = None if known is None else trading_session(known.at)
        told = readings_of(answer.values, self._settings, after)
        new = told[-self._settings.sessions_max :]  # older closes are loaded by their session's asset
        self._waiting.add_daily(new)
        self._daily = self._daily_to_keep = answer.file
        return len(new)

    def _know_daily(self, history: DailyHistory, now: datetime) -> None:
        for value in history.values[-self._settings.sessions_max - 1 :]:
            self._tracker.history.fill(
                value.session, daily_minutes(value.session, value.opened, value.closed)
            )
        newest = history.values[-1]
        closed_at = index_close(newest.session)
        source = VolatilitySource.CBOE_HISTORY
        self._tracker.hear(Observation(at=closed_at, value=newest.closed, source=source), now)

    def _recall(self, now: Moment) -> None:
        """Know again what was kept; what cannot be read is asked for as if it never was there."""
        try:
            for session, minutes in self._tools.record.minutes().items():
                self._tracker.history.fill(session, minutes)
            kept = self._tools.record.daily()
            if kept is not None and self._tools.history is not None:
                self._know_daily(self._tools.history.read(kept, now.market), now.market)
                self._daily = kept
        except DeskError as error:
            _log.warning("volatility_not_recalled error=%s", error)

    def _publish(self, now: Moment) -> None:
        reading = self._tracker.reading(now.market)
        if reading is None or not all(lane.has_answered for lane in self._lanes.values()):
            return  # at a start the first to answer may be the last resort, and its UNKNOWN would be a lie
        self._waiting.add_reading(reading)
        blocks = self._waiting.blocks(now.machine)
        try:
            self._tools.sink.publish([SymbolUpdate(symbol=INDEX, volatility=reading, blocks=blocks)])
        except OutboxFullError:
            # No reader may trade on an older calm because the warehouse is behind: it hears of this later.
            self._tools.sink.publish([SymbolUpdate(symbol=INDEX, volatility=reading)])
            self.reading = reading
            raise
        self._waiting.published()
        self.reading = reading
        self._keep_daily()

    def _keep_daily(self) -> None:
        """Only once its rows are on their way: a crash in between repeats rows instead of losing them."""
        if self._daily_to_keep is None:
            return
        try:
            self._tools.record.keep_daily(self._daily_to_keep)
            self._daily_to_keep = None
        except VolatilityRecordError as error:
            _log.warning("volatility_not_kept error=%s", error)

    def _source_health(self, source: VolatilitySource, now: Moment) -> FeedHealth:
        lane, newest = self._lanes[source.value], self._tracker.newest(source)
        told = FeedHealth(
            feed=FEED,
            symbol=INDEX,
            source=source.value,
            state=FeedState.BROKEN if lane.is_broken else FeedState.RUNNING,
            said_at=now.market,
            newest_at=None if newest is None else newest.at,
            rows=lane.rows,
            refused=lane.refused,
            errors=lane.errors,
            limit_s=self._limit_s(source),
            text=lane.last_error,
        )
        is_daily = source is VolatilitySource.CBOE_HISTORY and newest is not None and not told.text
        return replace(told, text=f"the close of {newest.at:%Y-%m-%d}") if is_daily and newest else told

    def _limit_s(self, source: VolatilitySource) -> float | None:
        """The broker's is stale when it gives way, Yahoo's when it would be UNKNOWN, closes never."""
        if source is VolatilitySource.IBKR:
            return self._settings.fresh_for_s if self._tools.has_broker else None
        return self._settings.stale_after_s if source is VolatilitySource.YAHOO else None
