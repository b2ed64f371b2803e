"""The exchange's file of the one-day volatility index: all sessions that are over, with its ETag.

Its wrong rows and other moods are put in by `spoil`, a function on the file's lines, or by the faults of
every stub.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from hashlib import sha256

from simulation.http.index_path import LATE, IndexPath
from simulation.http.moods import MoodyVenue
from simulation.http.server import Answer, Request
from trading.calendar import session_close, session_on_or_before, sessions_between

PATH = "/api/global/us_indices/daily_prices/VIX1D_History.csv"
FIRST = date(2022, 5, 13)  # of the real file
HEADER = "DATE,OPEN,HIGH,LOW,CLOSE"
HTML = b"<html><head><title>Access denied</title></head><body>Access denied</body></html>"

Lines = Sequence[str]


class CboeStub(MoodyVenue):
    """Serves the file as it is at `market_now`, the simulated time."""

    def __init__(
        self,
        path: IndexPath,
        market_now: Callable[[], datetime],
        *,
        first: date = FIRST,
        spoil: Callable[[Lines], Lines] = tuple,
        port: int = 0,
    ) -> None:
        super().__init__(port)
        self.path, self.market_now, self.first, self.spoil = path, market_now, first, spoil
        self._made: tuple[date, bytes] | None = None

    def answer(self, request: Request) -> Answer:
        """The file, 304 for who has it, or what is not found."""
        mood = self.mood(request)
        if mood is not None:
            return mood
        if request.path != PATH:
            return Answer(HTML, 404, {"Content-Type": "text/html"})
        last = self._last_session()
        body = self._body(last)
        tag = f'"{sha256(body).hexdigest()[:16]}"'
        modified = (session_close(last) + LATE).astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
        names = {"ETag": tag, "Last-Modified": modified, "Content-Type": "text/csv"}
        if request.headers.get("if-none-match") == tag:
            return Answer(b"", 304, names)
        return Answer(body, headers=names)

    @property
    def file_url(self) -> str:
        """What a client is configured with."""
        return self.url + PATH

    def _last_session(self) -> date:
        now = self.market_now()
        day = session_on_or_before(now.date())
        is_over = session_close(day) + LATE <= now
        return day if is_over else session_on_or_before(date.fromordinal(day.toordinal() - 1))

    def _body(self, last: date) -> bytes:
        if self._made is None or self._made[0] != last:
            lines = [self._line(session) for session in sessions_between(self.first, last)]
            self._made = (last, ("\r\n".join([HEADER, *self.spoil(lines)]) + "\r\n").encode())
        return self._made[1]

    def _line(self, session: date) -> str:
        return ",".join([f"{session:%m/%d/%Y}", *(f"{value:.6f}" for value in self.path.day(session))])
