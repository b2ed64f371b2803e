"""A file that is larger than any real one, or wrong throughout: named, counted, and no more than that."""

from datetime import date
from pathlib import Path

import pytest
from lean_folder import LeanFolder

from adapters.lean import archives, series
from adapters.lean.history import LeanHistory
from adapters.lean.series import UNREADABLE
from trading.model.market import Bar, MarketKind, RefusedRow

DAY = date(2014, 6, 6)
GOOD = "43200000,6450000,6460000,6440000,6455000,100"
ARCHIVE = "equity/usa/minute/aapl/20140606_trade.zip"
MEMBER = "20140606_aapl_minute_trade.csv"


def rows_of(folder: Path, *lines: str, more: dict[str, str] | None = None) -> tuple[int, list[RefusedRow]]:
    """Bars that were told of such a file, and what was refused."""
    LeanFolder(folder).archive(ARCHIVE, {MEMBER: "\n".join(lines), **(more or {})})
    rows = list(LeanHistory(folder).rows(MarketKind.BAR, DAY) or ())
    refused = [row for row in rows if isinstance(row, RefusedRow)]
    return len([row for row in rows if isinstance(row, Bar)]), refused


def test_a_file_that_is_wrong_throughout_is_some_rows_and_a_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sum of what is told stays that of the lines."""
    monkeypatch.setattr(series, "REFUSED_LINES_MAX", 2)
    bars, refused = rows_of(tmp_path, *(f"wrong {n}" for n in range(7)), GOOD)
    assert bars == 1
    assert [row.rows for row in refused] == [1, 1, 5]
    assert refused[-1].reason.startswith(UNREADABLE)


@pytest.mark.parametrize(
    ("bound", "most", "words"),
    [("MEMBERS_MAX", 1, "at most 1 members"), ("MEMBER_BYTES_MAX", 10, "at most 10 bytes"),
     ("LINES_MAX", 1, "at most 1 lines")],
)  # fmt: skip
def test_an_archive_beyond_a_bound_is_refused_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, most: int, words: str
) -> None:
    """What unpacks without end fills neither the memory nor the day."""
    monkeypatch.setattr(archives, bound, most)
    _, refused = rows_of(tmp_path, GOOD, GOOD, more={"readme.txt": "of the supplier"})
    assert any(words in row.reason for row in refused)
