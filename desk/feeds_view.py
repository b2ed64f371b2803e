"""What `desk feeds` shows: every feed worst first, the outboxes, who lives, the lines of the broker.

Belongs here: values. Keep out: how they look (`desk/feeds_table.py`), what a feed does.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from adapters.ibkr.market.budget import Budget, budget_of
from adapters.redis.vendor import RedisVendorMonitor
from adapters.wiring import (
    open_feed_board,
    open_live_state,
    open_market_outbox_reader,
    open_outbox_reader,
    redis_url,
)
from desk.answers import as_mapping
from desk.stack.expected import expected_residents
from trading.ports.feed_health import FeedBoard, FeedHealth, FeedState
from trading.ports.live_state import LiveState
from trading.ports.market_outbox import MarketOutboxReader
from trading.ports.outbox import OutboxBacklog, OutboxReader
from trading.ports.vendor_monitor import VendorMonitor
from trading.settings import Settings

VENDORS = ("alpha_vantage",)  # those with a plan of so many requests
READER = "desk-feeds"  # it only looks; it is never given an entry
WORST_FIRST = (
    FeedState.BROKEN,
    FeedState.STALE,
    FeedState.STARTING,
    FeedState.RUNNING,
    FeedState.ABSENT,
    FeedState.IDLE,
)
FAULTS = frozenset({FeedState.BROKEN, FeedState.STALE})


@dataclass(frozen=True, slots=True, kw_only=True)
class LinesInUse:
    """Lines that the configuration wants, of how many the login has; chains share what is left."""

    kind: str
    wanted: int
    allowed: int
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedsView:
    """One look. `beats` says how long ago each resident said that it lives, None where it does not; `plans`
    what was asked of each vendor and what its plan allows.
    """

    at: datetime
    feeds: tuple[FeedHealth, ...]
    outboxes: Mapping[str, OutboxBacklog]
    beats: Mapping[str, float | None]
    lines: tuple[LinesInUse, ...]
    plans: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def has_faults(self) -> bool:
        """Whether a feed stands still or is broken, or a resident does not live."""
        return any(feed.state in FAULTS for feed in self.feeds) or None in self.beats.values()

    @property
    def counts(self) -> Mapping[FeedState, int]:
        """How many feeds are in each state, worst first."""
        counted = Counter(feed.state for feed in self.feeds)
        return {state: counted[state] for state in WORST_FIRST if counted[state]}

    def document(self) -> Mapping[str, Any]:
        """As plain values, for `--json`."""
        return {
            "at": self.at.isoformat(),
            "faults": self.has_faults,
            "states": {state.value: count for state, count in self.counts.items()},
            "feeds": [as_mapping(feed) for feed in self.feeds],
            "outboxes": {
                name: {**as_mapping(backlog), "oldest_age_s": oldest_age_s(backlog, self.at)}
                for name, backlog in self.outboxes.items()
            },
            "residents": dict(self.beats),
            "lines": [as_mapping(each) for each in self.lines],
            "plans": {vendor: dict(figures) for vendor, figures in self.plans.items()},
        }


class FeedsWindow:
    """Looks again and again over the same connections; `configured` is without what a running stack adds."""

    def __init__(self, settings: Settings, configured: Settings) -> None:
        self._board: FeedBoard = open_feed_board(settings)
        self._live_state: LiveState = open_live_state(settings)
        self._broker: OutboxReader = open_outbox_reader(settings, READER)
        self._market: MarketOutboxReader = open_market_outbox_reader(settings, READER)
        self._expected = expected_residents(configured)
        self._monitor: VendorMonitor = RedisVendorMonitor(redis_url(settings))
        self._lines = lines_in_use(budget_of(settings.market, settings.ingest), settings)

    def look(self) -> FeedsView:
        """Look once; raises LiveStateUnavailableError."""
        now = datetime.now(UTC)
        beats = self._live_state.heartbeats()
        named = sorted({*self._expected, *beats})
        return FeedsView(
            at=now,
            feeds=worst_first(self._board.feeds()),
            outboxes={"broker": self._broker.backlog(), "market": self._market.backlog()},
            beats={name: _age(beats.get(name), now) for name in named},
            lines=self._lines,
            plans={vendor: told for vendor in VENDORS if (told := self._monitor.told(vendor))},
        )


def worst_first(feeds: Sequence[FeedHealth]) -> tuple[FeedHealth, ...]:
    """By state, then by how near to its limit or beyond it each is, then by name."""

    def place(feed: FeedHealth) -> tuple[int, float, str, str, str]:
        used = (feed.age_s or 0.0) / feed.limit_s if feed.limit_s else 0.0
        return WORST_FIRST.index(feed.state), -used, feed.source, feed.feed, feed.symbol

    return tuple(sorted(feeds, key=place))


def lines_in_use(budget: Budget, settings: Settings) -> tuple[LinesInUse, ...]:
    """What the plan of the broker's lines takes of what the login has."""
    plans, ingest = list(budget.symbols.values()), settings.ingest
    taken = ingest.market_data_lines - budget.chain_lines
    ticks = sum(plan.prints for plan in plans) + sum(plan.touches for plan in plans)
    return (
        LinesInUse(kind="market data", wanted=taken, allowed=ingest.market_data_lines),
        LinesInUse(kind="left to chains", wanted=budget.chain_lines, allowed=ingest.market_data_lines),
        LinesInUse(kind="depth", wanted=sum(plan.depth for plan in plans), allowed=ingest.depth_lines),
        LinesInUse(
            kind="tick by tick",
            wanted=ticks,
            allowed=ingest.tick_by_tick_lines,
            without=tuple(f"{each.symbol} {each.feed}" for each in budget.without),
        ),
    )


def oldest_age_s(backlog: OutboxBacklog, now: datetime) -> float | None:
    """How long the oldest entry has waited."""
    return _age(backlog.oldest_at, now)


def _age(at: datetime | None, now: datetime) -> float | None:
    return None if at is None else round(max(0.0, (now - at).total_seconds()), 1)
