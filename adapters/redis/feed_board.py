"""The feed board in Redis: one hash with a field for each feed, and what is told of it under the older names.

Fields of a hash do not expire by themselves, so each carries its deadline on the server's own clock. From
the board follow the broker's and the vendor's totals, each symbol's chain and news health, and the table of
what stands still.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from adapters.redis import keys
from adapters.redis.connection import asked, open_client
from adapters.redis.key_family import KeyFamily
from adapters.redis.market_values import row_of, row_text
from trading.errors import InvalidFieldError
from trading.ports.feed_health import (
    FEED_LIFE_S,
    FEEDS_PER_CALL_MAX,
    FeedBoard,
    FeedHealth,
    FeedState,
)

TOTALS_OF: Mapping[str, KeyFamily] = {
    "ibkr": keys.MONITORING_BROKER,
    "alpha_vantage": keys.MONITORING_ALPHA_VANTAGE,
}
SYMBOL_HEALTH_OF: Mapping[str, KeyFamily] = {
    "chain": keys.MONITORING_OPTIONS,
    "news": keys.MONITORING_SENTIMENT,
    "sentiment": keys.MONITORING_SENTIMENT,
}
NAMES = frozenset({"source", "feed", "symbol"})  # they are in the key and in the fields' names
FIELD_SEPARATOR = "\x1f"  # in no name of a source, feed or symbol


class RedisFeedBoard(FeedBoard):
    """The port on a real Redis; may be shared between threads."""

    def __init__(self, url: str, *, life_s: float = FEED_LIFE_S) -> None:
        self._client: Any = open_client(url)
        self._life_ms = int(life_s * 1000)

    def say(self, feeds: Sequence[FeedHealth]) -> None:
        """Set these feeds, then tell what follows from the whole board."""
        if not feeds:
            return
        if len(feeds) > FEEDS_PER_CALL_MAX:
            raise InvalidFieldError("feeds", f"at most {FEEDS_PER_CALL_MAX}", len(feeds))
        texts = {_field(feed): row_text(feed) for feed in feeds}
        board = keys.FEEDS.at()

        def put() -> None:
            deadline = _server_ms(self._client) + self._life_ms
            told = {name: b"%d %s" % (deadline, text) for name, text in texts.items()}
            with self._client.pipeline(transaction=False) as pipe:
                pipe.hset(board, mapping=told)
                pipe.expire(board, keys.FEEDS.ttl_s)
                pipe.execute()

        asked(put)
        self._tell(self.feeds(), {feed.source for feed in feeds}, feeds)

    def feeds(self) -> Sequence[FeedHealth]:
        """Return every feed whose deadline is not over; those that are over, or are none, are taken off."""
        board = keys.FEEDS.at()
        now_ms, told = asked(lambda: (_server_ms(self._client), self._client.hgetall(board)))
        live = {name: feed for name, text in told.items() if (feed := _live(text, now_ms)) is not None}
        gone = [name for name in told if name not in live]
        if gone:
            asked(lambda: self._client.hdel(board, *gone))
        return sorted(live.values(), key=lambda feed: (feed.source, feed.feed, feed.symbol))

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _tell(self, board: Sequence[FeedHealth], sources: set[str], said: Sequence[FeedHealth]) -> None:
        stale = _stale_ages(board)

        def put() -> None:
            with self._client.pipeline(transaction=True) as pipe:
                pipe.delete(keys.MONITORING_STALE.at())
                if stale:
                    pipe.hset(keys.MONITORING_STALE.at(), mapping=stale)
                pipe.execute()
            with self._client.pipeline(transaction=False) as pipe:
                for source in sources & TOTALS_OF.keys():
                    pipe.hset(TOTALS_OF[source].at(), mapping=_totals(board, source))
                for feed in said:
                    family = SYMBOL_HEALTH_OF.get(feed.feed)
                    if family and feed.symbol:
                        key = family.at(sym=feed.symbol)
                        pipe.hset(key, mapping=_symbol_health(feed))
                        pipe.expire(key, family.ttl_s)
                pipe.execute()

        asked(put)


def _live(text: bytes, now_ms: int) -> FeedHealth | None:
    """A feed whose deadline is not over; what nobody of ours wrote hides no other feed."""
    deadline, _, told = text.partition(b" ")
    try:
        return row_of(FeedHealth, told) if int(deadline) > now_ms else None
    except (ValueError, InvalidFieldError):
        return None


def _field(feed: FeedHealth) -> str:
    names = (feed.source, feed.feed, feed.symbol)
    if any(FIELD_SEPARATOR in name for name in names):
        raise InvalidFieldError("feed", "names without control characters", names)
    return FIELD_SEPARATOR.join(names)


def _server_ms(client: Any) -> int:
    seconds, microseconds = client.time()
    return int(seconds) * 1000 + int(microseconds) // 1000


def _stale_ages(board: Sequence[FeedHealth]) -> dict[str, str]:
    """Each symbol's oldest age among its feeds that stand still; a feed without rows has no age."""
    ages: dict[str, float | None] = {}
    for feed in board:
        if feed.stands_still:
            before = ages.get(feed.symbol)
            ages[feed.symbol] = max((age for age in (before, feed.age_s) if age is not None), default=None)
    return {symbol or "-": "" if age is None else f"{age:.1f}" for symbol, age in ages.items()}


def _totals(board: Sequence[FeedHealth], source: str) -> dict[str, str]:
    feeds = [feed for feed in board if feed.source == source]
    states = {state: sum(1 for feed in feeds if feed.state is state) for state in FeedState}
    stale = sorted({feed.symbol for feed in feeds if feed.stands_still})
    return {
        "ts": max(feed.said_at for feed in feeds).isoformat() if feeds else "",
        "feeds": str(len(feeds)),
        **{str(state): str(count) for state, count in states.items()},
        "rows": str(sum(feed.rows for feed in feeds)),
        "rows_per_s": f"{sum(feed.rows_per_s for feed in feeds):.1f}",
        "refused": str(sum(feed.refused for feed in feeds)),
        "errors": str(sum(feed.errors for feed in feeds)),
        "reconnects": str(max((feed.reconnects for feed in feeds), default=0)),
        "stale_symbols": ",".join(stale),
    }


def _symbol_health(feed: FeedHealth) -> dict[str, str]:
    """Under its source and feed: where two sources tell a symbol's chain, neither hides the other."""
    told = {each.name: getattr(feed, each.name) for each in fields(feed) if each.name not in NAMES}
    told["said_at"] = feed.said_at.isoformat()
    told["newest_at"] = feed.newest_at.isoformat() if feed.newest_at else None
    begin = f"{feed.source}_{feed.feed}"
    return {f"{begin}_{name}": "" if value is None else str(value) for name, value in told.items()}
