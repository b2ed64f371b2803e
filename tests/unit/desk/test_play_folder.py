"""Where a played session lies."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from small_recording import CALL, options

from adapters.configuration import load_settings
from desk.play_folder import PlayFolder, session_to_play
from desk.played_market import write_drawn
from trading.errors import InvalidFieldError
from trading.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of an empty home."""
    return load_settings({"DESK_HOME": str(tmp_path)}, with_stack=False)


def test_the_session_after_the_sample_month_is_played_unless_another_is_named(settings: Settings) -> None:
    """The month of the sample desk ends on Thursday 2026-11-12; each seed has a folder of its own."""
    assert PlayFolder.of(settings).session == date(2026, 11, 13)
    other = replace(settings, gateway=replace(settings.gateway, session=date(2026, 11, 17), seed=8))
    assert PlayFolder.of(other).folder.name == "2026-11-17_seed_8"


def test_a_session_pauses_when_all_is_told_and_on_the_next_morning(settings: Settings) -> None:
    """Before the broker books the day, also a short one, and before the opening of the next session."""
    first, second = PlayFolder.of(settings).pauses.splitlines()
    assert first == "at 16:18:00 on 2026-11-13 freeze clock"
    assert second == "at 09:29:30 on 2026-11-16 freeze clock"
    short = replace(settings, gateway=replace(settings.gateway, session=date(2026, 11, 27)))
    assert PlayFolder.of(short).pauses.startswith("at 13:18:00 on 2026-11-27 freeze clock")


def test_beginning_again_forgets_everything(settings: Settings) -> None:
    """Inputs, end, truth and statements of an earlier play are gone, and the folder is there."""
    folder = PlayFolder.of(settings)
    folder.make()
    for path in (folder.journal, folder.folder / "inputs.jsonl", folder.sent):
        path.write_text("")
    folder.mark_over()
    assert folder.is_over()
    folder.begin_again()
    assert not folder.is_over()
    assert list(folder.folder.iterdir()) == []


def test_a_day_that_is_no_session_is_not_the_first_to_play(tmp_path: Path) -> None:
    """Nobody asked for Christmas, and the folder was refused for it."""
    bar = {CALL: "34200000,10000,12000,9000,11000,8"}
    for day in (date(2015, 12, 25), date(2015, 12, 28)):
        options(tmp_path, day, "trade", bar)
    gateway = replace(load_settings({}).gateway, data=tmp_path, session=None)
    assert session_to_play(gateway) == date(2015, 12, 28)


def test_a_symbol_that_is_not_drawn_is_refused_with_those_that_are(tmp_path: Path) -> None:
    """Under the house's name, whatever was written."""
    with pytest.raises(InvalidFieldError, match=r"--symbols: expected some of AAPL, .* SPY, .*, was 'BRK B'"):
        write_drawn(7, date(2026, 11, 13), 1, ("BRK B",), tmp_path)
