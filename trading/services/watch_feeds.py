"""Which feeds stand still: the state of every feed judged, one alert for each episode, nothing out of hours.

Who hears a feed counts what it hears; whether that is too little is judged here, for all feeds alike, on the
market's clock. A position is held on what feeds say, so a feed that stands still unseen costs money. Hence:

- Age is counted from the row's own time, or from when it was first seen where a venue's clock is ahead: a
  row that is dated in the future would hide an hour of silence.
- A feed that has never told anything is as stale as one that has stopped, once its limit is over. Where its
  reporter says when it was asked for, no silence begins before that; one that goes on ends only with a row.
- An episode is told once, and later where the alert could not be written, even if it is over by then: no
  alert is lost to a Redis that was away. It ends with the first fresh row (which is told too), or with the
  feed's hours (which is not).
- An alert is over when none of its feeds stands still any more, whatever ended that, and is said to be. What
  goes on is told again, as the same alert, where the live state lost everything.

    watch = FeedWatch()                      # one for the life of the process
    every metrics_every_s:
        watch_feeds(watch, board, alerts, [FeedHealth(...) for every feed], now=<the market's clock>)

Of a FeedHealth the reporter gives feed, symbol, source, newest_at, limit_s (None: never stale), asked_at
(if it knows it), said_at and its counters rows, refused, errors, reconnects since its start; `state` BROKEN
while its breaker is open, ABSENT where it has no line, else RUNNING. What it gives for age_s, rows_per_s
and the other states is judged anew. A feed that is not reported any more is forgotten. Keep out: who hears,
how the board is kept.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import groupby

from trading.calendar import is_rth, session_open, trading_session
from trading.errors import InvalidFieldError
from trading.ports.alerts import Alerts
from trading.ports.feed_health import FeedBoard, FeedHealth, FeedState

FEEDS_MAX = 20_000  # 500 symbols with their feeds are a fifth of it
AS_TOLD = frozenset({FeedState.BROKEN, FeedState.ABSENT})  # states that only the reporter knows
SYMBOLS_PER_ALERT_MAX = 50  # a farm that goes down is a few alerts, not five hundred

_log = logging.getLogger(__name__)

OpenSince = Callable[[str, str, datetime], datetime | None]  # feed, symbol, moment → since when it is open
FeedKey = tuple[str, str, str]  # source, feed, symbol


class FeedEventKind(StrEnum):
    """What happened to a feed."""

    STALE = "stale"
    RESOLVED = "resolved"  # it tells again
    CLEARED = "cleared"  # its hours are over, or it is not asked for any more


ENDED_BY = {
    FeedEventKind.RESOLVED: "it tells again",
    FeedEventKind.CLEARED: "its hours are over, or it is not asked for any more",
}
PROCESS_ENDED = "its process ended; what goes on is another alert"
OVER_BEFORE_TOLD = "it was over when it could be told"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEvent:
    """A change of a feed; `since` is the first moment that it stood still for."""

    kind: FeedEventKind
    health: FeedHealth
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldAlert:
    """An alert of episodes as it was raised; it goes on while one of them does."""

    code: str
    text: str
    market_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One look: every feed with its state, age and rate, and what changed; `untold` waits for its alert."""

    feeds: tuple[FeedHealth, ...]
    events: tuple[FeedEvent, ...]
    untold: tuple[FeedEvent, ...]


def regular_hours(_feed: str, _symbol: str, at: datetime) -> datetime | None:
    """The opening of the regular session that the moment is in; None outside."""
    return _opening(at)


@lru_cache(maxsize=8)
def _opening(at: datetime) -> datetime | None:
    return session_open(trading_session(at)) if is_rth(at) else None  # asked of every feed at one moment


@dataclass(slots=True)
class _Memory:
    """What is kept of one feed between looks."""

    first_seen_at: datetime
    newest_at: datetime | None = None
    advanced_at: datetime | None = None  # the look that saw newest_at change
    rows: int = 0
    looked_at: datetime | None = None
    episode: FeedEvent | None = None


@dataclass(slots=True)
class FeedWatch:
    """The memory of one process's feeds; `judge` moves it on. Not to be shared between threads."""

    open_since: OpenSince = regular_hours
    _known: dict[FeedKey, _Memory] = field(default_factory=dict)
    _untold: dict[FeedKey, FeedEvent] = field(default_factory=dict)  # its newest episode without alert
    _told: dict[FeedKey, ToldAlert] = field(default_factory=dict)  # of each episode that goes on
    _going_on: Counter[str] = field(default_factory=Counter)  # by code: feeds that stand still
    _over: dict[str, str] = field(default_factory=dict)  # by code: what ended it, where nobody was told yet
    _again: dict[str, ToldAlert] = field(default_factory=dict)  # what is to be told again
    knows_left: bool = False  # what a process before this one left open is asked once

    def judge(self, feeds: Sequence[FeedHealth], now: datetime) -> Judged:
        """Say how every feed is at `now`, and what changed since the look before."""
        if len(feeds) > FEEDS_MAX:
            raise InvalidFieldError("feeds", f"at most {FEEDS_MAX} feeds", len(feeds))
        reported = {_key(health): health for health in feeds}
        events = [event for event in self._forget(reported, now) if event is not None]
        judged = []
        for key, health in reported.items():
            memory = self._known.setdefault(key, _Memory(first_seen_at=now))
            _move(memory, health, now)
            seen = _seen(memory, health, now, self.open_since(health.feed, health.symbol, now))
            was_open = memory.episode is not None
            events.extend(_change(memory, seen))
            judged.append(seen.health)
            memory.rows, memory.looked_at = health.rows, now
            if memory.episode is not None and (key in self._untold or not was_open):
                self._untold[key] = memory.episode
        for event in events:
            if event.kind is not FeedEventKind.STALE:
                self._end(event)
        return Judged(feeds=tuple(judged), events=tuple(events), untold=tuple(self._untold.values()))

    def told(self, events: Iterable[FeedEvent], alert: ToldAlert) -> None:
        """Note that the alert of these episodes is written; some may be over by now."""
        for event in events:
            key = _key(event.health)
            self._untold.pop(key, None)
            memory = self._known.get(key)
            if memory is not None and memory.episode is not None:
                self._told[key] = alert
                self._going_on[alert.code] += 1
        if not self._going_on[alert.code]:
            self._finish(alert.code, OVER_BEFORE_TOLD)

    def tell_again(self) -> None:
        """The live state lost everything: what goes on is to be told again."""
        self._again = {alert.code: alert for alert in self._told.values()}

    def take_over(self, codes: Sequence[str]) -> None:
        """What a process before this one left open ends here: what goes on has an alert of this one."""
        self._over |= {code: PROCESS_ENDED for code in codes if code not in self._going_on}
        self.knows_left = True

    def again(self) -> Sequence[ToldAlert]:
        """Alerts to raise again."""
        return tuple(self._again.values())

    def told_again(self, alert: ToldAlert) -> None:
        """Note that it is written."""
        self._again.pop(alert.code, None)

    def over(self) -> Sequence[tuple[str, str]]:
        """Codes of alerts that are over and not yet noted to be, with what ended each."""
        return tuple(self._over.items())

    def noted(self, code: str) -> None:
        """Note that its end is written."""
        self._over.pop(code, None)

    def _end(self, event: FeedEvent) -> None:
        alert = self._told.pop(_key(event.health), None)
        if alert is not None:
            self._going_on[alert.code] -= 1
            if not self._going_on[alert.code]:
                self._finish(alert.code, ENDED_BY[event.kind])

    def _finish(self, code: str, by: str) -> None:
        del self._going_on[code]
        self._again.pop(code, None)
        if len(self._over) < FEEDS_MAX:
            self._over[code] = by

    def _forget(self, reported: dict[FeedKey, FeedHealth], now: datetime) -> Iterable[FeedEvent | None]:
        for key in [key for key in self._known if key not in reported]:
            episode = self._known.pop(key).episode
            if episode is not None:
                gone = replace(episode.health, state=FeedState.IDLE, said_at=now)
                yield FeedEvent(kind=FeedEventKind.CLEARED, health=gone, since=episode.since)


def watch_feeds(
    watch: FeedWatch, board: FeedBoard, alerts: Alerts, feeds: Sequence[FeedHealth], now: datetime
) -> Judged:
    """Judge the feeds, raise what is new, set the board; raises LiveStateUnavailableError after the alerts.

    A look that raised may simply be followed by the next one.
    """
    judged = watch.judge(feeds, now)
    if alerts.has_lost_all():
        watch.tell_again()
    left = None if watch.knows_left else alerts.episodes_left()
    if left is not None:
        watch.take_over(left)
    back = [event for event in judged.events if event.kind is FeedEventKind.RESOLVED]
    if _raise_again(watch, alerts) and _raise_stale(watch, alerts, judged.untold, now):
        for told in _together(back):
            alerts.raise_alert(_code("feed_resolved", told, now), _resolved_words(told, now))
        _end_what_is_over(watch, alerts, now)
    for event in judged.events:
        _log.info("feed %s: %s of %s", event.kind, event.health.feed, event.health.symbol)
    board.say(judged.feeds)
    return judged


def _raise_stale(watch: FeedWatch, alerts: Alerts, untold: Sequence[FeedEvent], now: datetime) -> bool:
    """Tell; False at the first that cannot be written: the others would wait for the same time-outs."""
    for told in _together(untold):
        alert = ToldAlert(code=_code("feed_stale", told, now), text=_stale_words(told), market_at=now)
        if not alerts.raise_episode(alert.code, alert.text, now):
            return False
        watch.told(told, alert)
    return True


def _raise_again(watch: FeedWatch, alerts: Alerts) -> bool:
    """Tell what goes on to a live state that lost everything; False at the first that cannot be written."""
    for alert in watch.again():
        if not alerts.raise_episode(alert.code, alert.text, alert.market_at):
            return False
        watch.told_again(alert)
    return True


def _end_what_is_over(watch: FeedWatch, alerts: Alerts, now: datetime) -> None:
    """Note the ends; those that cannot be written wait for the next look."""
    for code, by in watch.over():
        if not alerts.end_episode(code, by, now):
            return
        watch.noted(code)


@dataclass(frozen=True, slots=True)
class _Seen:
    """One feed at one look; `since` is what its silence is counted from."""

    health: FeedHealth
    since: datetime
    is_open: bool
    is_stale: bool


def _move(memory: _Memory, health: FeedHealth, now: datetime) -> None:
    """Note what is newer; a clock that was set back must not put what was seen into the future."""
    memory.first_seen_at = min(memory.first_seen_at, now)
    if memory.advanced_at is not None:
        memory.advanced_at = min(memory.advanced_at, now)
    if health.newest_at is not None and health.newest_at != memory.newest_at:
        memory.newest_at, memory.advanced_at = health.newest_at, now


def _seen(memory: _Memory, health: FeedHealth, now: datetime, opened_at: datetime | None) -> _Seen:
    heard_at = memory.first_seen_at
    if memory.newest_at is not None and memory.advanced_at is not None:
        heard_at = min(memory.newest_at, memory.advanced_at)
    since = heard_at if opened_at is None else max(heard_at, opened_at)
    if memory.episode is None and health.asked_at is not None:
        since = max(since, health.asked_at)
    silent = now - since
    limit_s = health.limit_s
    is_stale = opened_at is not None and limit_s is not None and silent > timedelta(seconds=limit_s)
    told = replace(
        health,
        state=_state(memory, health, is_open=opened_at is not None, is_stale=is_stale),
        age_s=None if memory.newest_at is None else max(0.0, (now - heard_at).total_seconds()),
        rows_per_s=_rate(memory, health, now),
        is_silent=is_stale,
    )
    return _Seen(told, since, opened_at is not None, is_stale)


def _state(memory: _Memory, health: FeedHealth, *, is_open: bool, is_stale: bool) -> FeedState:
    if health.state in AS_TOLD:
        return health.state
    if not is_open:
        return FeedState.IDLE
    if is_stale:
        return FeedState.STALE
    return FeedState.STARTING if memory.newest_at is None else FeedState.RUNNING


def _rate(memory: _Memory, health: FeedHealth, now: datetime) -> float:
    """Rows of each market second since the look before; none at the first look, none after a restart."""
    if memory.looked_at is None or now <= memory.looked_at or health.rows < memory.rows:
        return 0.0
    return (health.rows - memory.rows) / (now - memory.looked_at).total_seconds()


def _change(memory: _Memory, seen: _Seen) -> Sequence[FeedEvent]:
    """Begin or end the feed's episode."""
    if memory.episode is None and seen.is_stale:
        memory.episode = FeedEvent(kind=FeedEventKind.STALE, health=seen.health, since=seen.since)
        return (memory.episode,)
    if memory.episode is None:
        return ()
    if seen.is_stale:
        memory.episode = replace(memory.episode, health=seen.health)
        return ()
    kind = FeedEventKind.RESOLVED if seen.is_open else FeedEventKind.CLEARED
    ended = FeedEvent(kind=kind, health=seen.health, since=memory.episode.since)
    memory.episode = None
    return (ended,)


def _key(health: FeedHealth) -> FeedKey:
    return health.source, health.feed, health.symbol


def _together(events: Iterable[FeedEvent]) -> Iterable[Sequence[FeedEvent]]:
    """Events of one source and feed, in portions that a person can read."""
    ordered = sorted(events, key=lambda event: _key(event.health))
    for _, group in groupby(ordered, key=lambda event: _key(event.health)[:2]):
        members = list(group)
        for start in range(0, len(members), SYMBOLS_PER_ALERT_MAX):
            yield members[start : start + SYMBOLS_PER_ALERT_MAX]


def _code(kind: str, events: Sequence[FeedEvent], now: datetime) -> str:
    """Of its own for each portion and look: another episode, or another try, is not swallowed as a repeat."""
    first = events[0].health
    return f"{kind}-{first.source}-{first.feed}-{first.symbol}-{now:%Y%m%dT%H%M%S}"


def _stale_words(events: Sequence[FeedEvent]) -> str:
    first = events[0].health
    each = ", ".join(f"{event.health.symbol} {_age_words(event.health)}" for event in events)
    return f"{first.source} {first.feed} stands still (limit {first.limit_s:.0f} s): {each}"


def _age_words(health: FeedHealth) -> str:
    age = "never told" if health.age_s is None else f"{health.age_s:.0f} s old"
    return f"{age}, breaker open" if health.state is FeedState.BROKEN else age


def _resolved_words(events: Sequence[FeedEvent], now: datetime) -> str:
    first = events[0].health
    each = ", ".join(
        f"{event.health.symbol} after {(now - event.since).total_seconds():.0f} s" for event in events
    )
    return f"{first.source} {first.feed} tells again: {each}"
