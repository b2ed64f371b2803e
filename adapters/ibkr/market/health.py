"""How every feed of the session is: what the feeds counted, and what the session knows of their lines.

Whether a feed stands still is judged where all feeds are (`trading/services/watch_feeds`); here is said what
it may be judged by: its newest row, how old that may be, and since when it was asked for.

A feed that was not asked for yet cannot be overdue: a chain takes seconds of this machine to be found and
asked, which on a fast day are hours of the market's. What can lose money here is the opposite, a chain that
never comes and is waited for in silence: so waiting has a bound, a question about what is listed that failed
ends it, and from the first look on its limit counts.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from adapters.ibkr.market.budget import VOLATILITY_INDEX, SymbolPlan
from adapters.ibkr.market.discovery import INDEX
from adapters.ibkr.market.lines import LineKind
from adapters.ibkr.market.request_pacing import HISTORY_MAX, HISTORY_WINDOW_S
from adapters.ibkr.market.session import MarketSession
from adapters.ibkr.market.symbol_feeds import SOURCE, FeedCount, SymbolFeeds
from trading.market_settings import ChainMode, IngestSettings
from trading.ports.feed_health import FeedHealth, FeedState

CHAIN = "chain"
BAR_S = 5  # a bar is told when it is over
INDEX_LIMIT_S = 120  # told every fifteen seconds, and only where it differs
HICCUP_S = 3.0  # of this machine: a pause of ours is no silence of a market that is played fast
LOOK_S = 15.0  # of this machine: a look takes up to eleven, and the next one's turn is as far away
WAITS_MAX_S = 120.0  # of this machine: what was not asked for by then is overdue all the same
NO_COUNT = FeedCount()
FEED_KINDS = {
    LineKind.LEVEL1.value: LineKind.LEVEL1,
    LineKind.BARS.value: LineKind.BARS,
    LineKind.DEPTH.value: LineKind.DEPTH,
    LineKind.PRINTS.value: LineKind.PRINTS,
    LineKind.TOUCHES.value: LineKind.TOUCHES,
}


def healths(
    session: MarketSession, ingest: IngestSettings, at: datetime, said_at: datetime
) -> Sequence[FeedHealth]:
    """One line for each feed of each symbol, also for one that has no line: it says why."""
    return [
        each
        for plan in session.budget.symbols.values()
        for each in _of_symbol(session, plan, ingest, at, said_at)
    ]


def _of_symbol(
    session: MarketSession, plan: SymbolPlan, ingest: IngestSettings, at: datetime, said_at: datetime
) -> Iterator[FeedHealth]:
    feeds = session.feeds.symbols.get(plan.symbol)
    for feed in _feeds_of(session, plan):
        counted = feeds.counts.get(feed, NO_COUNT) if feeds is not None else NO_COUNT
        problem = _problem(session, plan.symbol, feed, feeds)
        yield FeedHealth(
            feed=feed,
            symbol=plan.symbol,
            source=SOURCE,
            state=_state(session, plan.symbol, feed, problem),
            said_at=said_at,
            newest_at=_newest(session, feed, feeds, counted),
            rows=counted.rows,
            refused=counted.refused,
            errors=counted.errors,
            reconnects=max(0, session.connects - 1),
            limit_s=None if problem else _limit_s(session, plan, ingest, feed),
            asked_at=_asked_at(session, plan.symbol, feed, at),
            text=problem or _note(session, feed, feeds, counted),
        )


def _state(session: MarketSession, symbol: str, feed: str, problem: str) -> FeedState:
    is_absent = (symbol, feed) in session.subscribing.without
    return FeedState.ABSENT if problem and is_absent else FeedState.BROKEN if problem else FeedState.RUNNING


def _feeds_of(session: MarketSession, plan: SymbolPlan) -> list[str]:
    """The feeds that a symbol has, and those that it should have and has no line for."""
    watched = session.subscribing.discovery.watched.get(plan.symbol)
    has = {
        LineKind.LEVEL1.value: plan.level1,
        LineKind.BARS.value: plan.bars,
        LineKind.DEPTH.value: plan.depth,
        LineKind.PRINTS.value: watched is not None and watched.sec_type != INDEX,
        LineKind.TOUCHES.value: plan.touches,
        CHAIN: plan.chain is not ChainMode.NONE,
    }
    return [
        feed
        for feed, is_there in has.items()
        if is_there or (plan.symbol, feed) in session.subscribing.without
    ]


def _problem(session: MarketSession, symbol: str, feed: str, feeds: SymbolFeeds | None) -> str:
    """Why nothing can come."""
    without = session.subscribing.without.get((symbol, feed))
    watched = session.subscribing.discovery.watched.get(symbol)
    is_partial = feed == CHAIN and feeds is not None and feeds.count(CHAIN).rows > 0
    if without is not None and not is_partial:
        return without.text
    if watched is not None and watched.is_given_up:
        return watched.problem
    kind = FEED_KINDS.get(feed)
    if feeds is None or kind is None:
        return ""
    refusal = session.subscribing.lines.refusal(kind, feeds.contract.conid)
    return "" if kind is LineKind.PRINTS else refusal  # without its own line the tape is that of level 1


def _note(session: MarketSession, feed: str, feeds: SymbolFeeds | None, counted: FeedCount) -> str:
    notes = [counted.text]
    if feeds is not None:
        notes.append("delayed" if feeds.is_delayed else "")
        without = session.subscribing.without.get((feeds.symbol, feed))
        notes.append(without.text if without is not None else "")
        watched = session.subscribing.discovery.watched[feeds.symbol]
        notes.append(watched.problem if feed == CHAIN else "")
    return "; ".join(note for note in notes if note)


def _newest(
    session: MarketSession, feed: str, feeds: SymbolFeeds | None, counted: FeedCount
) -> datetime | None:
    if feeds is not None and feed == LineKind.LEVEL1.value:
        return session.feeds.board.newest_at(feeds.contract.conid)
    return counted.newest_at


def _limit_s(session: MarketSession, plan: SymbolPlan, ingest: IngestSettings, feed: str) -> float | None:
    """How old the newest row may be; prints and changes of the touch come when somebody trades."""
    hiccup_s = HICCUP_S * session.speed
    if feed in (LineKind.PRINTS.value, LineKind.TOUCHES.value):
        return None
    if feed == CHAIN:
        return float(max(ingest.chain_stale_after_s, LOOK_S * session.speed))
    if plan.symbol == VOLATILITY_INDEX:
        return float(max(ingest.quote_stale_after_s, INDEX_LIMIT_S, hiccup_s))
    extra = BAR_S if feed == LineKind.BARS.value else 0
    return float(max(ingest.quote_stale_after_s + extra, hiccup_s))


def _asked_at(session: MarketSession, symbol: str, feed: str, at: datetime) -> datetime | None:
    """When a feed was first asked for; while it waits for that, now, as long as it may wait."""
    lines = session.subscribing.lines
    watched = session.subscribing.discovery.watched.get(symbol)
    asked_at = lines.first_asked(feed, symbol)
    if asked_at is not None or lines.able_since is None or watched is None or watched.problem:
        return asked_at
    waits_s = WAITS_MAX_S * session.speed
    if feed == LineKind.BARS.value:  # so many lines in each of the broker's windows
        wanted = sum(plan.bars for plan in session.budget.symbols.values())
        waits_s += HISTORY_WINDOW_S * (wanted // HISTORY_MAX)
    return min(at, lines.able_since + timedelta(seconds=waits_s))
