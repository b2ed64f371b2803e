"""The sample desk as the main job uses it: written into the inbox, and afterwards compared with the
warehouse.

The journal is the truth; what the warehouse holds of fills, P&L, cash and breaks must be exactly that.
"""

import sql
from adapters.clickhouse.client import Warehouse
from desk.days import EARLIEST, LATEST
from desk.main_job import copy_into_inbox
from simulation.sample_desk import Difference, Journal, compare, write_sample_desk
from simulation.sample_desk.journal import JOURNAL_NAME
from simulation.sample_desk.writing import INBOX
from trading.errors import InvalidFieldError
from trading.settings import Settings

FOLDER = "sample"  # under the home folder: the journal, and the files as they were written


def write_into_inbox(settings: Settings, seed: int) -> Journal:
    """Write the files and the journal; files that are there already stay. One home folder holds one seed."""
    folder = settings.paths.home / FOLDER
    journal = folder / JOURNAL_NAME
    if journal.exists() and (known := Journal.read(journal).seed) != seed:
        raise InvalidFieldError(
            "--seed", f"{known}, whose sample desk this home folder holds (or another DESK_HOME)", seed
        )
    written = write_sample_desk(folder, seed)
    copy_into_inbox(folder / INBOX, settings)  # at once, so that one look of the sensor sees them all
    return written


def compare_with_journal(journal: Journal, warehouse: Warehouse) -> tuple[Difference, ...]:
    """Everything in which the warehouse is not as the journal has it, row for row."""
    accounts = {str(row["account"]) for row in journal.fills} | {str(row["name"]) for row in journal.accounts}
    return compare(
        journal,
        fills=_of(accounts, warehouse.rows(sql.query("fills_standing"))),
        pnl_daily=_of(accounts, warehouse.rows(sql.query("pnl_daily_figures"))),
        cash=_of(accounts, warehouse.rows(sql.query("cash_endings"))),
        breaks=_of(accounts, warehouse.rows(sql.query("breaks_found"), _ALL)),
    )


def _of(accounts: set[str], rows: list[dict[str, object]]) -> list[dict[str, object]]:
    return [row for row in rows if str(row["account"]) in accounts]


_ALL = {"venue": "", "account": "", "start": EARLIEST, "end": LATEST, "states": [], "break_id": ""}
