"""What is kept of the index on this machine: read again as written, torn lines left out, old files gone."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from volatility_samples import FRIDAY, IBKR, at, new_york

from adapters.home_folder.volatility_record import SESSIONS_KEPT_MAX, VolatilityFolder
from trading.calendar import sessions_between
from trading.ports.volatility_source import DailyFile, VolatilityRecordError
from trading.volatility.observation import Observation

FILE = DailyFile(
    body=b"DATE,OPEN,HIGH,LOW,CLOSE\r\n", etag='"abc"', last_modified="Fri, 20 Nov 2026 22:00:00 GMT"
)


@pytest.fixture
def folder(tmp_path: Path) -> VolatilityFolder:
    """A folder that is not there yet."""
    return VolatilityFolder(tmp_path / "home" / "volatility")


def test_an_empty_home_has_nothing(folder: VolatilityFolder) -> None:
    """No folder is no history and no error."""
    assert folder.minutes() == {}
    assert folder.daily() is None


def test_minutes_are_kept_by_session(folder: VolatilityFolder) -> None:
    """Values of two days lie in two files, by the minute of New York's clock; the first of each counts."""
    thursday = date(2026, 11, 19)
    folder.note([at("09:31:20", "20.5"), at("16:15", "19", day=thursday)])
    folder.note([at("09:31:50", "99"), at("09:32", "21")])
    assert folder.minutes() == {
        thursday: {975: Decimal(19)},
        FRIDAY: {571: Decimal("20.5"), 572: Decimal(21)},
    }


def test_torn_and_foreign_lines_are_left_out(folder: VolatilityFolder) -> None:
    """A crash in the middle of a line costs that line; nonsense costs itself."""
    folder.note([at("09:31", "20.5")])
    path = folder.folder / f"{FRIDAY}.csv"
    lines = [
        "572,nan,ibkr",
        "573,-1,ibkr",
        "574,20",
        "9999,20,ibkr",
        "x,20,ibkr",
        "575,20,nobody",
        "576,22,ibkr",
    ]
    path.write_text(path.read_text() + "\n".join(lines) + "\n577,21,ib", encoding="utf-8")
    (folder.folder / "notes.csv").write_text("572,1,ibkr\n")
    assert folder.minutes() == {FRIDAY: {571: Decimal("20.5"), 576: Decimal(22)}}


def test_files_of_old_sessions_are_taken_away(folder: VolatilityFolder) -> None:
    """A year of days leaves those that may count, and what is not ours stays."""
    folder.folder.mkdir(parents=True)
    (folder.folder / "readme.csv").write_text("")
    for session in sessions_between(FRIDAY - timedelta(days=200), FRIDAY):
        folder.note([Observation(at=new_york("10:00", session), value=Decimal(20), source=IBKR)])
    assert len(folder.minutes()) == SESSIONS_KEPT_MAX
    assert len(list(folder.folder.glob("*.csv"))) == SESSIONS_KEPT_MAX + 1


def test_the_daily_file_is_read_as_it_was_kept(folder: VolatilityFolder) -> None:
    """Body and names together, the newer one in the older one's place."""
    folder.keep_daily(DailyFile(body=b"old"))
    folder.keep_daily(FILE)
    assert folder.daily() == FILE
    assert sorted(path.name for path in folder.folder.iterdir()) == ["daily.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"body": "x"}', "null", "\xff"])
def test_a_broken_daily_file_counts_as_none(folder: VolatilityFolder, text: str) -> None:
    """It is then asked for again."""
    folder.keep_daily(FILE)
    (folder.folder / "daily.json").write_text(text, encoding="latin-1")
    assert folder.daily() is None


def test_a_folder_that_cannot_be_written_is_an_error_of_its_own(tmp_path: Path) -> None:
    """A file in its place: the caller hears it by name and goes on without a record."""
    (tmp_path / "volatility").write_text("")
    folder = VolatilityFolder(tmp_path / "volatility")
    with pytest.raises(VolatilityRecordError, match="cannot be written"):
        folder.note([at("09:31", "20.5")])
    with pytest.raises(VolatilityRecordError, match="cannot be written"):
        folder.keep_daily(FILE)
    with pytest.raises(VolatilityRecordError, match="cannot be read"):
        folder.daily()
