"""Write the sample desk: the files of every source into `inbox/`, the journal beside it.

A file that is there already with the same bytes is left alone, and a new one appears whole under its name,
so that a watcher of the folder sees what it would see of a careful person.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from simulation.sample_desk.journal import JOURNAL_NAME, Journal, month_rows
from simulation.sample_desk.month import Month, draw_month
from simulation.sample_desk.planted import plant_breaks
from simulation.sample_desk.sources import Sources, sources_of
from simulation.sample_desk.venue_exports import venue_exports
from trading.calendar import TradingCalendar

INBOX = "inbox"
DEFAULT_FIRST_SESSION = date(2026, 10, 15)  # daylight saving ends within the month
DEFAULT_SESSIONS = 21
DEFAULT_ACCOUNTS = 3
RETOLD_ON, RETOLD_ROWS = 7, 2  # on this session statements tell rows of the session before once more
DOWNLOADED_TWICE_ON = 6  # place of the session whose Activity statement somebody fetched twice


def write_sample_desk(
    directory: Path,
    seed: int,
    planted: bool = True,
    sessions: int = DEFAULT_SESSIONS,
    accounts: int = DEFAULT_ACCOUNTS,
    first_session: date = DEFAULT_FIRST_SESSION,
    venues: bool = True,
) -> Journal:
    """Write `directory/inbox/` and `directory/journal.json`; same arguments, same bytes."""
    calendar = TradingCalendar()
    month = draw_month(seed, first_session, sessions, accounts, calendar)
    told = [sources_of(evening, month.market) for evening in month.evenings]
    by_session = {(item.evening.account.name, item.evening.session): item for item in told}
    _tell_again(month, by_session)
    planted_rows = plant_breaks(month, by_session) if planted else ()
    twice = month.sessions[DOWNLOADED_TWICE_ON % len(month.sessions)]
    files = [
        file
        for sources in told
        for file in sources.files(seed, month.market, again=sources.evening.session == twice)
    ]
    exports, fills_elsewhere = venue_exports(seed, month.sessions, calendar) if venues else ([], [])
    files += exports
    for description, text in files:
        _write(directory / INBOX / description["name"], text)
    rows = month_rows(month, told)
    rows["fills"] += tuple(fills_elsewhere)
    described = tuple(description for description, _ in files)
    journal = Journal(**rows, files=described, planted=planted_rows)
    journal.write(directory / JOURNAL_NAME)
    return journal


def _tell_again(month: Month, by_session: Mapping[tuple[str, date], Sources]) -> None:
    """Real statements now and then repeat a row of the day before; it is the same row and the same trade."""
    if len(month.sessions) <= RETOLD_ON:
        return
    before, session = month.sessions[RETOLD_ON - 1], month.sessions[RETOLD_ON]
    for account in month.accounts:
        rows = by_session[account.name, before].statement.trades[:RETOLD_ROWS]
        by_session[account.name, session].statement.trades.extend(dict(row) for row in rows)


def _write(path: Path, text: str) -> None:
    data = text.encode("utf-8")
    if path.exists() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    part.replace(path)
