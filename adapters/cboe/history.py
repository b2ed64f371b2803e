"""The exchange's daily history over HTTPS, asked with what the kept copy was named by."""

from dataclasses import dataclass
from datetime import datetime

from adapters.cboe.daily_csv import read_daily_csv
from adapters.venue.whole_answer import HTTP_NOT_MODIFIED, PublicAddress, WholeAnswer
from trading.ports.vendor_source import VendorUnavailableError
from trading.ports.volatility_source import DailyFile, DailyHistory, DailyHistorySource


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
            return  # the kept one cannot be read: anything whole is better
        if len(history.values) < before:
            raise VendorUnavailableError(
                f"cboe: the daily history is refused whole: expected {before} sessions or more, was "
                f"{len(history.values)}"
            )


def _validators(kept: DailyFile | None) -> dict[str, str]:
    told = {} if kept is None else {"If-None-Match": kept.etag, "If-Modified-Since": kept.last_modified}
    return {name: value for name, value in told.items() if value}


def _file(answer: WholeAnswer) -> DailyFile:
    names = {name.lower(): value for name, value in answer.headers.items()}
    return DailyFile(
        body=answer.body, etag=names.get("etag", ""), last_modified=names.get("last-modified", "")
    )
