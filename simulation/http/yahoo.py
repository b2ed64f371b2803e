"""Yahoo's chart interface for the one-day volatility index: today's minutes, or sixty days of five minutes.

It refuses clients that do not say who they are (429), and answers errors in an object of their own. `delay`
is by how much its values are late; `jumps` are points that are added from a moment on.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal

from simulation.http.index_path import LATE, IndexPath, stamps
from simulation.http.moods import MoodyVenue
from simulation.http.server import Answer, Request
from trading.calendar import session_close, session_on_or_before, session_open, sessions_between

PATH = "/v8/finance/chart/%5EVIX1D"
DAYS_BACK = 60
INTERVALS = {"1m": timedelta(minutes=1), "5m": timedelta(minutes=5)}
RANGES = {"1d": 0, "60d": DAYS_BACK}


def error(status: int, code: str, words: str) -> Answer:
    """An error in this vendor's words."""
    return Answer.of({"chart": {"result": None, "error": {"code": code, "description": words}}}, status)


class YahooStub(MoodyVenue):
    """Serves the chart as it is at `market_now`, the simulated time."""

    def __init__(
        self,
        path: IndexPath,
        market_now: Callable[[], datetime],
        *,
        delay: timedelta = timedelta(0),
        port: int = 0,
    ) -> None:
        super().__init__(port)
        self.path, self.market_now, self.delay = path, market_now, delay
        self.jumps: list[tuple[datetime, Decimal]] = []

    def answer(self, request: Request) -> Answer:
        """The chart, or an error."""
        mood = self.mood(request)
        if mood is not None:
            return mood
        if not request.headers.get("user-agent", "").startswith("Mozilla/"):
            return Answer(b"Too Many Requests\r\n", 429, {"Content-Type": "text/html"})
        if request.path != PATH:
            return error(404, "Not Found", "No data found, symbol may be delisted")
        every, back = (
            INTERVALS.get(request.params.get("interval", "")),
            RANGES.get(request.params.get("range", "")),
        )
        if every is None or back is None:
            return error(422, "Unprocessable Entity", "Invalid input - interval or range is not supported")
        return Answer.of({"chart": {"result": [self._result(every, back)], "error": None}})

    def _result(self, every: timedelta, back: int) -> dict[str, object]:
        now = self.market_now() - self.delay
        session = _session_at(now)
        live_at = min(now, session_close(session) + LATE)
        first = session - timedelta(days=back)
        bars = [
            (start, self._value(min(start + every, live_at), day))
            for day in sessions_between(first, session)
            for start in stamps(day, live_at, every)
        ]
        meta = {
            "currency": "USD",
            "symbol": "^VIX1D",
            "exchangeName": "CXI",
            "instrumentType": "INDEX",
            "regularMarketTime": int(live_at.timestamp()),
            "regularMarketPrice": self._value(live_at, session),
            "exchangeTimezoneName": "America/Chicago",
        }
        closes = [value for _, value in bars]
        quote = {"open": closes, "high": closes, "low": closes, "close": closes, "volume": [0] * len(closes)}
        times = [int(start.timestamp()) for start, _ in bars]
        return {"meta": meta, "timestamp": times, "indicators": {"quote": [quote]}}

    def _value(self, moment: datetime, session: date) -> float:
        added = sum((points for since, points in self.jumps if moment >= since), Decimal(0))
        return float(self.path.at(moment, session) + added)


def _session_at(now: datetime) -> date:
    """The session that is on, or was last."""
    day = session_on_or_before(now.date())
    return day if session_open(day) <= now else session_on_or_before(day - timedelta(days=1))
