"""Past sessions from Alpha Vantage, for those that nobody captured or not wholly: chains, news, sentiment.

One question for each symbol and session (of news more, where an answer is full), in turns that leave the live
polling its plan (`turns`). A symbol that the vendor does not know is a refused row; a session of which it has
no chain, and a plan without this history, is None. A question that failed fails the session: a part of the
symbols is not the session.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from itertools import chain
from typing import TypeVar

from adapters.alpha_vantage.past_news import PastNews, read_span, span_of
from adapters.alpha_vantage.source import AlphaVantage
from adapters.alpha_vantage.turns import HistoryTurns
from trading.calendar import previous_session, session_close, session_on_or_before, sessions_between
from trading.model.market import ChainSnapshot, MarketKind, MarketRow, NewsItem, RefusedRow
from trading.ports.market_history import MarketHistory
from trading.ports.vendor_source import ChainRead, NewsRead, RefusalKind, VendorRefusedError

NAME = "alpha_vantage_history"
FIRST = date(2008, 1, 2)  # the vendor's words: more than fifteen years
SETTLES_AFTER = timedelta(hours=8)  # the close; a day's chain is there in the evening, and its news are over
NEWS_KINDS = (MarketKind.NEWS, MarketKind.SENTIMENT)
Read = TypeVar("Read", ChainRead, NewsRead)

_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class AlphaVantageHistory(MarketHistory):
    """The port over HISTORICAL_OPTIONS and NEWS_SENTIMENT.

    `symbols` are those of which chains are kept, `news_symbols` those of which articles are. The articles of
    the session that was asked for last are kept: its sentiment is made of them.
    """

    source: AlphaVantage
    turns: HistoryTurns
    symbols: Sequence[str]
    news_symbols: Sequence[str] = ()
    news_window_s: int = 86_400
    sentiment_every_s: float = 300.0
    _news: PastNews | None = field(default=None, init=False)

    @property
    def name(self) -> str:
        """The source's name in the warehouse: what is loaded is not what was heard."""
        return NAME

    def sessions(self, kind: MarketKind) -> Sequence[date]:
        """Sessions that are over and settled, of the kinds that are asked for."""
        if not self._asked_of(kind):
            return ()
        now = self.turns.now()
        last = session_on_or_before(now.date())
        while session_close(last) + SETTLES_AFTER > now:  # today's, and at night yesterday's
            last = previous_session(last)
        return sessions_between(FIRST, last)

    def rows(self, kind: MarketKind, session: date) -> Iterator[MarketRow] | None:
        """Ask for every symbol; None where the vendor has no chain, or the plan no history.

        Raises VendorUnavailableError, VendorBusyError, VendorRefusedError, LiveStateUnavailableError.
        """
        if not self._asked_of(kind) or session not in self.sessions(kind):
            return None
        try:
            if kind is MarketKind.CHAIN:
                return self._chains(session)
            news = self._articles(session)
        except VendorRefusedError as error:
            if error.kind is not RefusalKind.PREMIUM:
                raise
            _log.warning("no_history %s", error)
            return None
        if kind is MarketKind.SENTIMENT:
            return news.sentiments(self.news_window_s, self.sentiment_every_s)
        return chain[MarketRow](news.refused, news.articles())

    def _asked_of(self, kind: MarketKind) -> Sequence[str]:
        """The symbols that a kind is asked for."""
        if kind is MarketKind.CHAIN:
            return self.symbols
        return self.news_symbols if kind in NEWS_KINDS else ()

    def _chains(self, session: date) -> Iterator[MarketRow] | None:
        found: list[MarketRow] = []
        for symbol in self.symbols:
            told = self._ask(symbol, session, "chain", partial(self._chain, symbol, session))
            found += [told] if isinstance(told, RefusedRow) else _told(told)
        return iter(found) if any(isinstance(row, ChainSnapshot) for row in found) else None

    def _chain(self, symbol: str, session: date) -> ChainRead:
        return self.turns.ask(lambda: self.source.settled_chain(symbol, session))

    def _articles(self, session: date) -> PastNews:
        if self._news is None or self._news.session != session:
            items: dict[str, tuple[NewsItem, ...]] = {}
            refused: list[RefusedRow] = []
            for symbol in self.news_symbols:
                told = self._ask(symbol, session, "sentiment", partial(self._span, symbol, session))
                if isinstance(told, RefusedRow):
                    refused.append(told)
                else:
                    items[symbol] = told.items
                    refused += told.refused
            self._news = PastNews(session=session, items=items, refused=tuple(refused))
        return self._news

    def _span(self, symbol: str, session: date) -> NewsRead:
        return read_span(
            lambda since, until: self.turns.ask(lambda: self.source.past_news(symbol, since, until)),
            f"{NAME} {symbol} {session}",
            *span_of(session, self.news_window_s),
        )

    def _ask(self, symbol: str, session: date, feed: str, question: Callable[[], Read]) -> Read | RefusedRow:
        """A symbol that the vendor does not know costs only itself."""
        try:
            return question()
        except VendorRefusedError as error:
            if error.kind is not RefusalKind.SYMBOL:
                raise
            return RefusedRow(
                symbol=symbol,
                feed=feed,
                at=session_close(session),
                field="symbol",
                reason=str(error),
                payload="",
            )


def _told(read: ChainRead) -> list[MarketRow]:
    rows: list[MarketRow] = list(read.refused)
    if read.snapshot is not None:
        rows.append(replace(read.snapshot, source=NAME))
    return rows
