"""Alpha Vantage behind the vendor port: which function answers which question."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime

from adapters.alpha_vantage.client import NAME, AlphaVantageClient
from adapters.alpha_vantage.news import ITEMS_MAX, read_news
from adapters.alpha_vantage.options import read_chain
from adapters.alpha_vantage.refusals import is_without_articles
from adapters.alpha_vantage.technicals import INDICATORS, params_of, read_technical
from adapters.venue.payload import JsonObject
from trading.calendar import session_close
from trading.model.symbols import vendor_symbol
from trading.ports.vendor_source import (
    ChainRead,
    NewsRead,
    TechnicalRead,
    VendorSource,
    VendorUnavailableError,
)


class AlphaVantage(VendorSource):
    """One key. With `realtime` chains are live, else those of the newest session that the vendor has."""

    def __init__(self, client: AlphaVantageClient, *, realtime: bool = True) -> None:
        self._client = client
        self._realtime = realtime

    @property
    def name(self) -> str:
        """The source's name in rows."""
        return NAME

    @property
    def indicators(self) -> Collection[str]:
        """The indicators it computes."""
        return tuple(INDICATORS)

    def chain(self, symbol: str, at: datetime) -> ChainRead:
        """Ask for the whole chain with greeks."""
        question = {"function": "HISTORICAL_OPTIONS", "symbol": vendor_symbol(symbol)}
        if self._realtime:
            question |= {"function": "REALTIME_OPTIONS", "require_greeks": "true"}
        document = self._client.ask(question)
        return read_chain(_rows(document, "data", question["function"], symbol), symbol, at)

    def settled_chain(self, symbol: str, session: date) -> ChainRead:
        """Ask for the chain of a session that is over, as of its close; another day's raises."""
        day = session.isoformat()
        question = {"function": "HISTORICAL_OPTIONS", "symbol": vendor_symbol(symbol), "date": day}
        document = self._client.ask(question)
        what = f"{question['function']} {day}"
        read = read_chain(_rows(document, "data", what, symbol), symbol, session_close(session))
        contracts = () if read.snapshot is None else read.snapshot.contracts
        others = sorted({f"{each.open_interest_date}" for each in contracts} - {day})
        if others:
            raise VendorUnavailableError(f"{NAME} {what} {symbol}: expected rows of {day}, was {others[:3]}")
        return read

    def news(self, symbol: str, since: datetime, at: datetime) -> NewsRead:
        """Ask for the articles since then."""
        return self._news(symbol, at, {"time_from": _minute(since), "sort": "LATEST"})

    def past_news(self, symbol: str, since: datetime, until: datetime) -> NewsRead:
        """Ask for the articles of a span that is over, both of its minutes included."""
        span = {"time_from": _minute(since), "time_to": _minute(until), "sort": "EARLIEST"}
        return self._news(symbol, until, span)

    def technical(self, symbol: str, indicator: str, at: datetime) -> TechnicalRead:
        """Ask for an indicator of one-minute bars."""
        document = self._client.ask(params_of(symbol, indicator))
        return read_technical(document, symbol, indicator, at)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _news(self, symbol: str, at: datetime, span: Mapping[str, str]) -> NewsRead:
        question = {
            "function": "NEWS_SENTIMENT",
            "tickers": vendor_symbol(symbol),
            **span,
            "limit": str(ITEMS_MAX),
        }
        document = self._client.ask(question)
        return read_news(_rows(document, "feed", question["function"], symbol), symbol, at)


def _minute(at: datetime) -> str:
    """As spans are asked for: UTC, to the minute."""
    return f"{at.astimezone(UTC):%Y%m%dT%H%M}"


def _rows(document: JsonObject, name: str, function: str, symbol: str) -> Sequence[object]:
    """The list of an answer; an answer without it is not one to the question."""
    rows = document.get(name)
    if rows is None and name == "feed" and is_without_articles(document):
        return ()
    if not isinstance(rows, list) or document.repeated:
        raise VendorUnavailableError(
            f"{NAME} {function} {symbol}: expected a list {name}, was {type(rows).__name__}"
        )
    return rows
