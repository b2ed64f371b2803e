"""The exchange's daily history over HTTPS, asked with what the kept copy was named by.

Half a file that ends at a line's end reads like a whole one. It has fewer sessions than the kept copy; where
there is no copy, its newest session is an old one, and that is refused.
"""

from dataclasses import dataclass
from datetime import date, datetime

from adapters.cboe.daily_csv import read_daily_csv
from adapters.venue.http_date import http_date
from adapters.venue.whole_answer import HTTP_NOT_MODIFIED, PublicAddress, WholeAnswer
from trading.calendar import CALENDAR_START, previous_session, trading_session
from trading.ports.vendor_source import VendorUnavailableError
from trading.ports.volatility_source import DailyFile, DailyHistory, DailyHistorySource

SESSIONS_BEHIND_MAX = 3  # the file is written in the night after a session, at times a day late


@dataclass(slots=True)
class CboeHistory(DailyHistorySource):
    """The port."""

    address: PublicAddress

    def ask(self, kept: DailyFile | None, at: datetime) -> DailyHistory | None:
        """Ask for what is newer than the kept file; a shorter one than that is a broken one."""
        answer = self.address.get(headers=_validators(kept))
        if answer.status == HTTP_NOT_MODIFIED:
            if kept is None:
                raise VendorUnavailableError("cboe: not modified, but nothing was named")
            return None
        history = self.read(_file(answer), at)
        self._check_against(kept, history, at)
        return history

    def read(self, kept: DailyFile, at: datetime) -> DailyHistory:
        """Read a file without asking."""
        return read_daily_csv(kept, at)

    def _check_against(self, kept: DailyFile | None, history: DailyHistory, at: datetime) -> None:
        try:
            before = len(self.read(kept, at).values) if kept is not None else 0
        except VendorUnavailableError:
            before = 0
        if not before:
            _check_against_calendar(history, at)
        if len(history.values) < before:
            raise VendorUnavailableError(
                f"cboe: the daily history is refused whole: expected {before} sessions or more, was "
                f"{len(history.values)}"
            )


def _check_against_calendar(history: DailyHistory, at: datetime) -> None:
    """Refuse a first file without the sessions before it was written; where that is not told, before now."""
    written_at = _moment(history.file.last_modified)
    expected = _newest_expected(at if written_at is None else min(at, written_at))
    newest = history.values[-1].session
    if newest < expected:
        raise VendorUnavailableError(
            f"cboe: the daily history is refused whole: expected the session {expected} or a later one, was "
            f"{newest} the newest"
        )


def _moment(text: str) -> datetime | None:
    moment = http_date(text)
    is_told = moment is not None and moment.tzinfo is not None and CALENDAR_START.year < moment.year
    return moment if is_told else None


def _newest_expected(at: datetime) -> date:
    session = trading_session(at)
    for _ in range(1 + SESSIONS_BEHIND_MAX):
        session = previous_session(session)
    return session


def _validators(kept: DailyFile | None) -> dict[str, str]:
    told = {} if kept is None else {"If-None-Match": kept.etag, "If-Modified-Since": kept.last_modified}
    return {name: value for name, value in told.items() if value}


def _file(answer: WholeAnswer) -> DailyFile:
    names = {name.lower(): value for name, value in answer.headers.items()}
    return DailyFile(
        body=answer.body, etag=names.get("etag", ""), last_modified=names.get("last-modified", "")
    )
