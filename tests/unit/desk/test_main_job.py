"""Parts of the main job that need no stack."""

from pathlib import Path

import pytest

from adapters.configuration import load_settings
from desk.main_job import copy_into_inbox
from desk.sample_desk import FOLDER, write_into_inbox
from simulation.sample_desk import write_sample_desk
from trading.errors import InvalidFieldError
from trading.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of an empty home."""
    return load_settings({"DESK_HOME": str(tmp_path / "home")})


def test_files_are_copied_once_and_originals_stay(settings: Settings, tmp_path: Path) -> None:
    """A repeat copies nothing, a changed file is copied again, part and dot files are left out."""
    source = tmp_path / "mine"
    (source / "main").mkdir(parents=True)
    (source / "a.xml").write_text("<a/>")
    (source / "main" / "b.json").write_text("{}")
    (source / ".hidden").write_text("x")
    (source / "c.xml.part").write_text("x")
    assert copy_into_inbox(source, settings) == 2
    assert copy_into_inbox(source, settings) == 0
    (source / "a.xml").write_text("<a>changed</a>")
    assert copy_into_inbox(source, settings) == 1
    found = {path.relative_to(settings.paths.inbox).as_posix() for path in settings.paths.inbox.rglob("*.*")}
    assert found == {"a.xml", "main/b.json"}
    assert (source / "a.xml").read_text() == "<a>changed</a>"


def test_a_folder_that_is_not_there_is_refused(settings: Settings, tmp_path: Path) -> None:
    """A typing error in --inbox is no empty inbox."""
    with pytest.raises(InvalidFieldError, match="--inbox"):
        copy_into_inbox(tmp_path / "nothing", settings)


def test_one_home_holds_one_sample_desk(settings: Settings) -> None:
    """Another seed in the same home would mix two truths."""
    write_sample_desk(settings.paths.home / FOLDER, seed=7, sessions=1, accounts=1)
    with pytest.raises(InvalidFieldError, match="--seed: expected 7"):
        write_into_inbox(settings, seed=8)
