"""What a vendor answered, on its way to the sink: chains with our spot, articles once, refused rows named.

Articles count as told only when the sink has them, so an answer that cannot be published is published by the
next one. Keep out: when to ask, and what a failure costs (`poll_vendor`).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

from trading.calendar import trading_session
from trading.feeds.poller import Moment
from trading.feeds.vendor_plan import VendorPlan
from trading.feeds.vendor_rows import (
    KnownItems,
    RefusedRows,
    chain_update,
    news_update,
    refused_update,
    technical_update,
)
from trading.feeds.vendor_task import VendorPoll
from trading.model.market import RefusedRow
from trading.ports.market_state import MarketSink, MarketState
from trading.ports.vendor_monitor import VendorMonitor
from trading.ports.vendor_source import ChainRead, NewsRead, TechnicalRead

SPOT_OLD = timedelta(minutes=2)  # of the underlying's quote, in machine time


@dataclass(slots=True, kw_only=True)
class AnswerPublisher:
    """One vendor's; `counts` is the poller's, `speed` is market seconds in a second of this machine."""

    source: str
    plan: VendorPlan
    sink: MarketSink
    state: MarketState | None
    monitor: VendorMonitor | None
    speed: float
    counts: Counter[str]
    _refused: RefusedRows = field(default_factory=RefusedRows)
    _items: KnownItems = field(default_factory=KnownItems)

    def publish(self, poll: VendorPoll, answer: object, now: Moment) -> tuple[int, int]:
        """Publish an answer; returns its rows, taken and refused."""
        if isinstance(answer, ChainRead):
            return self._chain(poll, answer, now)
        if isinstance(answer, NewsRead):
            return self._news(poll, answer, now)
        assert isinstance(answer, TechnicalRead)
        return self._technical(poll, answer, now)

    def _chain(self, poll: VendorPoll, read: ChainRead, now: Moment) -> tuple[int, int]:
        symbol, snapshot = poll.symbol, read.snapshot
        refused = self._refused.worth_telling(read.refused, trading_session(poll.asked_at.market))
        for reason, count in read.dropped.items():
            self.counts[f"greeks_dropped {reason}"] += count
        if snapshot is None:
            self._publish_refused(poll, refused, now)
            poll.task.told(None, 0, len(read.refused), "the vendor has no chain")
            self.counts["answers_empty"] += not read.refused
            return 0, len(read.refused)
        update = chain_update(snapshot, self._spot(symbol, now), refused, now.machine)
        if not self.plan.live_chains:  # yesterday's chain is for the warehouse, not for who reads the market
            update = replace(update, chain=None)
        self.sink.publish([update])
        poll.task.told(snapshot.at, len(snapshot.contracts), len(read.refused))
        return len(snapshot.contracts), len(read.refused)

    def _news(self, poll: VendorPoll, read: NewsRead, now: Moment) -> tuple[int, int]:
        symbol, at = poll.symbol, poll.asked_at.market
        new = self._items.new(symbol, read.items)
        refused = self._refused.worth_telling(read.refused, trading_session(at))
        update = news_update(
            read, new, refused, symbol, self.source, at, self.plan.news_window_s, now.machine
        )
        self.sink.publish([update])
        self._items.published(symbol, new)
        poll.task.told(at, len(new), len(read.refused), "" if read.items else "no articles")
        if self.monitor is not None and update.sentiment is not None:
            score = update.sentiment.score
            self.monitor.tell_sentiment(
                symbol,
                {
                    "ts": at.isoformat(),
                    "source": self.source,
                    "articles": str(update.sentiment.articles),
                    "new": str(len(new)),
                    "refused": str(len(read.refused)),
                    "score": "" if score is None else f"{score:.6f}",
                    "label": update.sentiment.label,
                },
            )
        return max(1, len(read.items)) if not read.refused else len(read.items), len(read.refused)

    def _technical(self, poll: VendorPoll, read: TechnicalRead, now: Moment) -> tuple[int, int]:
        refused = self._refused.worth_telling(read.refused, trading_session(poll.asked_at.market))
        if read.reading is None:
            self._publish_refused(poll, refused, now)
            poll.task.told(None, 0, len(read.refused), "too few bars" if poll.is_local else "no values")
            self.counts["answers_empty"] += not read.refused
            return 0, len(read.refused)
        self.sink.publish([technical_update(read.reading, refused, now.machine)])
        text = "computed here" if poll.is_local else ""
        poll.task.told(read.reading.at, 1, len(read.refused), text)
        return 1, len(read.refused)

    def _publish_refused(self, poll: VendorPoll, refused: Sequence[RefusedRow], now: Moment) -> None:
        if refused:
            self.sink.publish([refused_update(poll.symbol, self.source, refused, now.machine)])

    def _spot(self, symbol: str, now: Moment) -> Decimal | None:
        """The middle of the underlying's quote as the live market has it, where that is fresh."""
        if self.state is None:
            return None
        told = self.state.read([symbol], chains=False)[symbol]
        ticker = told.checked("ticker").ticker
        if ticker is None or now.market - ticker.at > SPOT_OLD * self.speed:
            return None
        if ticker.bid is None or ticker.ask is None:
            return ticker.last
        return (ticker.bid + ticker.ask) / 2
