"""Write the sample desk: the files of every source into `inbox/`, the journal beside it.

A file that is there already with the same bytes is left alone, and a new one appears whole under its name,
so that a watcher of the folder sees what it would see of a careful person.
"""

from datetime import date
from pathlib import Path
from typing import Any

from simulation.sample_desk.journal import JOURNAL_NAME, Journal, month_rows
from simulation.sample_desk.month import draw_month
from simulation.sample_desk.planted import plant_breaks
from simulation.sample_desk.sources import sources_of
from trading.calendar import TradingCalendar

INBOX = "inbox"
DEFAULT_FIRST_SESSION = date(2026, 10, 15)  # daylight saving ends within the month
DEFAULT_SESSIONS = 21
DEFAULT_ACCOUNTS = 3


def write_sample_desk(
    directory: Path,
    seed: int,
    planted: bool = True,
    sessions: int = DEFAULT_SESSIONS,
    accounts: int = DEFAULT_ACCOUNTS,
    first_session: date = DEFAULT_FIRST_SESSION,
) -> Journal:
    """Write `directory/inbox/*` and `directory/journal.json`; same arguments, same bytes. Returns the
    journal.
    """
    month = draw_month(seed, first_session, sessions, accounts, TradingCalendar())
    told = [sources_of(evening, month.market) for evening in month.evenings]
    by_session = {(item.evening.account.name, item.evening.session): item for item in told}
    planted_rows = plant_breaks(month, by_session) if planted else ()
    inbox = directory / INBOX
    inbox.mkdir(parents=True, exist_ok=True)
    files: list[dict[str, Any]] = []
    for sources in told:
        for description, text in sources.files(seed, month.market):
            _write(inbox / description["name"], text)
            files.append(description)
    journal = Journal(**month_rows(month, told), files=tuple(files), planted=planted_rows)
    journal.write(directory / JOURNAL_NAME)
    return journal


def _write(path: Path, text: str) -> None:
    data = text.encode("utf-8")
    if path.exists() and path.read_bytes() == data:
        return
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    part.replace(path)
