"""`compare` tells missing, surplus and differing rows from the journal's, and nothing when all is right."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from simulation.sample_desk import Journal, compare, write_sample_desk

Rows = list[dict[str, Any]]
Tables = dict[str, Rows]


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    """A small desk."""
    directory: Path = tmp_path_factory.mktemp("desk")
    return write_sample_desk(directory, seed=6, sessions=2, accounts=1)


@pytest.fixture
def tables(journal: Journal) -> Tables:
    """The journal's own rows: what a warehouse without a mistake has."""
    return {
        "fills": [dict(row) for row in journal.fills],
        "pnl_daily": [dict(row) for row in journal.pnl_daily],
        "cash": [dict(row) for row in journal.cash],
        "breaks": [dict(row) for row in journal.expected_breaks],
    }


def test_equal_rows_have_no_difference(journal: Journal, tables: Tables) -> None:
    """The journal compared with itself is right."""
    assert compare(journal, **tables) == ()


def _without_first(rows: Rows) -> None:
    del rows[0]


def _first_again(rows: Rows) -> None:
    rows.append(dict(rows[0]))


def _cent_more(rows: Rows) -> None:
    column = next(name for name in ("realized", "ending", "difference", "price") if name in rows[0])
    rows[0][column] = str(Decimal(rows[0][column]) + Decimal("0.01"))


def _a_second_later(rows: Rows) -> None:
    moment = datetime.fromisoformat(rows[0]["fill_ts"]) + timedelta(seconds=1)
    rows[0]["fill_ts"] = moment.isoformat()


@pytest.mark.parametrize(
    ("table", "mistake"),
    [
        ("fills", _without_first),
        ("fills", _first_again),
        ("fills", _cent_more),
        ("fills", _a_second_later),
        ("pnl_daily", _without_first),
        ("pnl_daily", _cent_more),
        ("cash", _cent_more),
        ("breaks", _without_first),
        ("breaks", _first_again),
        ("breaks", _cent_more),
    ],
)
def test_each_mistake_is_told(
    journal: Journal, tables: Tables, table: str, mistake: Callable[[Rows], None]
) -> None:
    """A missing row, a row too many, a cent, a second: each is one difference that names its table."""
    mistake(tables[table])
    found = compare(journal, **tables)
    assert found
    assert {item.table for item in found} == {table}


def test_break_that_nobody_planted_is_told(journal: Journal, tables: Tables) -> None:
    """An open break too many is a difference; a closed one is not."""
    invented = {**tables["breaks"][0], "kind": "mark", "difference": "1"}
    closed = {**invented, "state": "closed"}
    assert compare(journal, breaks=[*tables["breaks"], closed]) == ()
    assert len(compare(journal, breaks=[*tables["breaks"], invented])) == 1
