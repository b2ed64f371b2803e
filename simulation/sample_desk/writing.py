"""Write the sample desk: the files of every source into `inbox/`, the journal beside it.

A file that is there already with the same bytes is left alone, and a new one appears whole under its name, so that a
watcher of the folder sees what it would see of a careful person.
"""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from simulation.sample_desk.activity import ActivityStatement, activity_statement
from simulation.sample_desk.confirmation import confirmation_rows, confirmation_xml
from simulation.sample_desk.flex_values import Row
from simulation.sample_desk.journal import JOURNAL_NAME, Journal, month_rows
from simulation.sample_desk.live import live_lines, same_day_lines, trade_rows_in
from simulation.sample_desk.month import Evening, Month, draw_month
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
    """Write `directory/inbox/*` and `directory/journal.json`; same arguments, same bytes. Returns the journal."""
    month = draw_month(seed, first_session, sessions, accounts, TradingCalendar())
    inbox = directory / INBOX
    inbox.mkdir(parents=True, exist_ok=True)
    files: list[dict[str, Any]] = []
    for evening in month.evenings:
        statement = activity_statement(evening, month.market)
        confirmed = confirmation_rows(evening, month.market)
        files += _write_evening(inbox, month, evening, statement, confirmed)
    journal = Journal(**month_rows(month), files=tuple(files), planted=())
    journal.write(directory / JOURNAL_NAME)
    return journal


def _write_evening(
    inbox: Path, month: Month, evening: Evening, statement: ActivityStatement, confirmed: list[Row]
) -> Iterable[dict[str, Any]]:
    live, same_day = live_lines(evening, month.seed), same_day_lines(evening)
    texts = (
        ("live.jsonl", "live", _text(live), trade_rows_in(live)),
        ("executions.jsonl", "same_day", _text(same_day), trade_rows_in(same_day)),
        (
            "confirmation.xml",
            "confirmation",
            confirmation_xml(evening, month.market, confirmed),
            len(confirmed),
        ),
        ("activity.xml", "statement", statement.xml(), len(statement.trades)),
    )
    for suffix, source, text, trade_rows in texts:
        name = f"{evening.account.name}_{evening.session:%Y%m%d}_{suffix}"
        _write(inbox / name, text)
        yield {
            "name": name,
            "account": evening.account.name,
            "session": evening.session.isoformat(),
            "source": source,
            "trade_rows": trade_rows,
        }


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _write(path: Path, text: str) -> None:
    data = text.encode("utf-8")
    if path.exists() and path.read_bytes() == data:
        return
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    part.replace(path)
