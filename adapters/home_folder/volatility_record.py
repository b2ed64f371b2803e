"""The volatility index on this machine: a file of minutes for each session, and the daily history as fetched.

Lines are appended and read leniently: a line that a crash tore is left out, all others count. The daily
history is replaced by a rename, so it is the old one or the new one. Files of old sessions are taken away.
Only one process writes.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from pathlib import Path

from trading.calendar import trading_session
from trading.errors import InvalidFieldError
from trading.model.market import VolatilitySource
from trading.model.times import parse_date
from trading.ports.volatility_source import DailyFile, VolatilityRecord, VolatilityRecordError
from trading.volatility.observation import Observation, observed
from trading.volatility.same_time import minute_of_day, moment_of

SESSIONS_KEPT_MAX = 90  # more than any z-score asks for
LINE_CELLS = 3  # minute, value, source
DAILY = "daily.json"


@dataclass(frozen=True, slots=True)
class VolatilityFolder(VolatilityRecord):
    """The port in a folder, which is made at the first write."""

    folder: Path

    def minutes(self) -> Mapping[date, Mapping[int, Decimal]]:
        """Read every session that is kept."""
        try:
            return {session: _read(path, session) for path, session in self._files()}
        except OSError as error:
            raise VolatilityRecordError(f"{self.folder}: cannot be read: {error.strerror}") from error

    def note(self, observations: Sequence[Observation]) -> None:
        """Append to the files of their sessions."""
        ordered = sorted(observations, key=lambda each: each.at)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for session, group in groupby(ordered, key=lambda each: trading_session(each.at)):
                path = self.folder / f"{session}.csv"
                is_new = not path.exists()
                with path.open("a", encoding="ascii") as file:
                    file.write("".join(_line(each) for each in group))
                if is_new:
                    self._forget()
        except OSError as error:
            raise VolatilityRecordError(f"{self.folder}: cannot be written: {error.strerror}") from error

    def daily(self) -> DailyFile | None:
        """Read the daily history; what is no such file counts as none."""
        try:
            told = json.loads((self.folder / DAILY).read_text(encoding="utf-8"))
            return DailyFile(
                body=str(told["body"]).encode(),
                etag=str(told["etag"]),
                last_modified=str(told["last_modified"]),
            )
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            return None
        except OSError as error:
            raise VolatilityRecordError(f"{self.folder}: cannot be read: {error.strerror}") from error

    def keep_daily(self, file: DailyFile) -> None:
        """Write beside it, then take its place."""
        text = json.dumps(
            {"etag": file.etag, "last_modified": file.last_modified, "body": file.body.decode("utf-8-sig")}
        )
        beside = self.folder / f"{DAILY}.new"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            beside.write_text(text, encoding="utf-8")
            os.replace(beside, self.folder / DAILY)
        except OSError as error:
            raise VolatilityRecordError(f"{self.folder}: cannot be written: {error.strerror}") from error

    def _files(self) -> list[tuple[Path, date]]:
        found = []
        for path in sorted(self.folder.glob("*.csv")):
            try:
                found.append((path, parse_date("file", path.stem)))
            except InvalidFieldError:
                continue  # somebody else's
        return found[-SESSIONS_KEPT_MAX:]

    def _forget(self) -> None:
        kept = {path for path, _ in self._files()}
        for path in self.folder.glob("*.csv"):
            if path not in kept and path.stem[:1].isdigit():
                path.unlink(missing_ok=True)


def _line(each: Observation) -> str:
    return f"{minute_of_day(each.at)},{each.value},{each.source}\n"


def _read(path: Path, session: date) -> Mapping[int, Decimal]:
    minutes: dict[int, Decimal] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True):
        cells = line.rstrip("\n").split(",")
        if not line.endswith("\n") or len(cells) != LINE_CELLS or not cells[0].isdecimal():
            continue
        try:
            minute = int(cells[0])
            minutes.setdefault(minute, _value(session, minute, cells[1], cells[2]))
        except (InvalidFieldError, ValueError):
            continue
    return minutes


def _value(session: date, minute: int, value: str, source: str) -> Decimal:
    return observed(VolatilitySource(source), moment_of(session, minute), value).value
