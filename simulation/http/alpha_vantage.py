"""Alpha Vantage: option chains, news, indicators of a book, with its limits and its ways to say no.

Every refusal comes with status 200 and words in the place of data (`vendor_words`), as the real one does it.
Limits roll over a minute and a day of this machine's clock; what the book knows is as of the market's clock.
The same seed, moment and question give the same bytes.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from threading import Lock

from simulation.http.indicators import atr, bands, macd, rsi
from simulation.http.moods import MoodyVenue
from simulation.http.news_feed import news_answer
from simulation.http.server import Answer, Request
from simulation.http.vendor_book import Minute, VendorBook
from simulation.http.vendor_words import KEY, asked_symbol, refusal
from trading.calendar import is_session, previous_session, session_close, trading_session
from trading.model.times import NEW_YORK

PATH = "/query"
PER_MINUTE = 75
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


class AlphaVantageStub(MoodyVenue):
    """Answers from a book to whoever has the key; `now` is the market's clock, `machine` this machine's.

    Requests over a limit are refused and do not count; limits of 0 are none.
    """

    def __init__(
        self,
        book: VendorBook,
        now: Callable[[], datetime],
        *,
        key: str = KEY,
        per_minute: int = PER_MINUTE,
        per_day: int = 0,
        machine: Callable[[], datetime] | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(port)
        self.book = book
        self.now = now
        self.key = key
        self.per_minute = per_minute
        self.per_day = per_day
        self.machine = machine or (lambda: datetime.now(UTC))
        self.served: deque[datetime] = deque()
        self.refused_by_limit = 0
        self._count = Lock()

    def answer(self, request: Request) -> Answer:
        """An answer to one function, or a refusal."""
        mood = self.mood(request)
        if mood is not None:
            return mood
        if request.path != PATH:
            return Answer(b"<html><body>Not found</body></html>", 404, {"Content-Type": "text/html"})
        if request.params.get("apikey") != self.key:
            return refusal("key")
        over = self._over_limit()
        if over:
            return refusal(over, self.key)
        return self._function(request.params, self.now())

    def _function(self, params: Mapping[str, str], at: datetime) -> Answer:
        name, symbol = params.get("function", ""), params.get("symbol", "")
        if name in ("REALTIME_OPTIONS", "HISTORICAL_OPTIONS"):
            return self._options(name, symbol, params, at)
        if name == "NEWS_SENTIMENT":
            return news_answer(self.book, params, at)
        if name in ("RSI", "MACD", "BBANDS", "ATR"):
            return self._indicator(name, symbol, params, at)
        return refusal("symbol")

    def _options(self, name: str, symbol: str, params: Mapping[str, str], at: datetime) -> Answer:
        if name == "HISTORICAL_OPTIONS":
            told = _settled_at(params.get("date", ""), at)
            if told is None:
                return refusal("symbol")
            at = told
        rows = self.book.options(asked_symbol(symbol), at)
        if rows is None:
            return refusal("symbol")
        if name == "HISTORICAL_OPTIONS" and params.get("date"):  # never another day's
            rows = [row for row in rows if row["date"] == params["date"]]
        if name == "HISTORICAL_OPTIONS" and not rows:
            words = f"No data for symbol {symbol} on date {params.get('date', '')}."
            return Answer.of({"endpoint": "Historical Options", "message": words, "data": []})
        with_greeks = name == "HISTORICAL_OPTIONS" or params.get("require_greeks") == "true"
        if not with_greeks:
            rows = [{key: row[key] for key in row if key not in GREEKS} for row in rows]
        endpoint = name.replace("_", " ").title()
        return Answer.of({"endpoint": endpoint, "message": "success", "data": rows})

    def _indicator(self, name: str, symbol: str, params: Mapping[str, str], at: datetime) -> Answer:
        minutes = self.book.minutes(asked_symbol(symbol), at)
        if minutes is None:
            return refusal("symbol")
        if params.get("interval") != "1min":
            return refusal("symbol")
        meta = {
            "1: Symbol": symbol,
            "2: Indicator": name,
            "3: Last Refreshed": _label(minutes[-1]) if minutes else "",
            "4: Interval": "1min",
            "7: Time Zone": "US/Eastern",
        }
        return Answer.of({"Meta Data": meta, f"Technical Analysis: {name}": table_of(name, minutes)})

    def _over_limit(self) -> str:
        with self._count:
            now = self.machine()
            while self.served and self.served[0] <= now - DAY:
                self.served.popleft()
            in_minute = sum(1 for at in self.served if at > now - MINUTE)
            over = ""
            if self.per_day and len(self.served) >= self.per_day:
                over = "day"
            elif self.per_minute and in_minute >= self.per_minute:
                over = "minute"
            if over:
                self.refused_by_limit += 1
            else:
                self.served.append(now)
            return over


GREEKS = ("implied_volatility", "delta", "gamma", "theta", "vega", "rho")


def table_of(name: str, minutes: Sequence[Minute]) -> dict[str, dict[str, str]]:
    """The values of an indicator by minute, newest first."""
    closes = [minute.close for minute in minutes]
    rows: Sequence[Mapping[str, float]]
    if name == "RSI":
        rows = [{"RSI": value} for value in rsi(closes)]
    elif name == "ATR":
        highs, lows = [minute.high for minute in minutes], [minute.low for minute in minutes]
        rows = [{"ATR": value} for value in atr(highs, lows, closes)]
    elif name == "MACD":
        rows = [{"MACD": line, "MACD_Signal": mean, "MACD_Hist": gap} for line, mean, gap in macd(closes)]
    else:
        names = ("Real Upper Band", "Real Middle Band", "Real Lower Band")
        rows = [dict(zip(names, values, strict=True)) for values in bands(closes)]
    dated = zip(reversed(minutes), reversed(rows), strict=False)
    return {_label(minute): {key: f"{value:.4f}" for key, value in row.items()} for minute, row in dated}


def _label(minute: Minute) -> str:
    return f"{minute.at.astimezone(NEW_YORK):%Y-%m-%d %H:%M}"


def _settled_at(text: str, at: datetime) -> datetime | None:
    """The last second of the session asked for, else of the one before; None for no session that is over."""
    try:
        day = date.fromisoformat(text) if text else previous_session(trading_session(at))
    except ValueError:
        return None
    if not is_session(day) or session_close(day) > at:
        return None
    return session_close(day) - timedelta(seconds=1)
