"""Where a played session lies, and what a killed gateway finds there."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from adapters.configuration import load_settings
from desk.play_folder import PlayFolder
from trading.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of an empty home."""
    return load_settings({"DESK_HOME": str(tmp_path)}, with_stack=False)


def test_the_session_after_the_sample_month_is_played_unless_another_is_named(settings: Settings) -> None:
    """The month of the sample desk ends on Thursday 2026-11-12."""
    assert PlayFolder.of(settings).session == date(2026, 11, 13)
    other = replace(settings, gateway=replace(settings.gateway, session=date(2026, 11, 17)))
    assert PlayFolder.of(other).folder.name == "2026-11-17"


def test_a_killed_gateway_goes_on_and_another_play_begins_afresh(settings: Settings) -> None:
    """The same seed, speed and faults find the old beginning; another one of them does not, nor asking."""
    folder = PlayFolder.of(settings)
    assert folder.began_at(settings.gateway, 100.0) == 100.0
    assert folder.began_at(settings.gateway, 250.0) == 100.0
    assert folder.began_at(replace(settings.gateway, seed=8), 300.0) == 300.0
    folder.begin_again()
    assert folder.began_at(replace(settings.gateway, seed=8), 400.0) == 400.0


def test_a_torn_beginning_is_none(settings: Settings) -> None:
    """A file that cannot be read never stops a gateway."""
    folder = PlayFolder.of(settings)
    folder.began_at(settings.gateway, 100.0)
    (folder.folder / "began.json").write_text("{")
    assert folder.began_at(settings.gateway, 200.0) == 200.0


def test_beginning_again_forgets_the_end_and_the_truth(settings: Settings) -> None:
    """The statements stay until they are written again."""
    folder = PlayFolder.of(settings)
    folder.statements.mkdir(parents=True)
    (folder.statements / "a.xml").write_text("<a/>")
    folder.journal.write_text("{}")
    folder.mark_over()
    assert folder.is_over()
    folder.begin_again()
    assert not folder.is_over()
    assert not folder.journal.exists()
    assert (folder.statements / "a.xml").exists()
