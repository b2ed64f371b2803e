"""Parts of the main job that need no stack."""

from collections.abc import Collection
from pathlib import Path

import pytest

from adapters.configuration import load_settings
from desk import main_job
from desk.dagster_api import RunView
from desk.main_job import copy_into_inbox
from desk.sample_desk import FOLDER, write_into_inbox
from simulation.sample_desk import write_sample_desk
from trading.errors import InvalidFieldError
from trading.ports.inbox import Landing, LandingState
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


class _Flight:
    """A webserver whose one run is under way for some questions, and a log that has it when it is over."""

    def __init__(self, questions: int) -> None:
        self.left, self.asked = questions, 0

    def runs(self, statuses: tuple[str, ...] = ()) -> list[RunView]:
        if not statuses or self.left == 0:
            return []
        self.left -= 1
        return [
            RunView(
                run_id="r", job="land_inbox", status="STARTED", first=None, last=None, created_at=0.0,
                updated_at=0.0, steps_done=1,
            )
        ]  # fmt: skip

    def latest(self, contents: Collection[str]) -> dict[str, LandingState]:
        self.asked += 1
        return {} if self.left else dict.fromkeys(contents, LandingState.RECONCILED)

    def unreconciled(self) -> list[Landing]:
        return []


def test_the_warehouse_is_not_asked_again_and_again_while_it_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is under way is watched at Dagster; the log is read now and then, and once it is over."""
    monkeypatch.setattr(main_job, "POLL_S", 0.0)
    monkeypatch.setattr(main_job, "LOG_EVERY_S", 3600.0)
    flight = _Flight(questions=40)
    main_job._watch(flight, {"a", "b"}, flight, lambda *_: None, 0.0)  # type: ignore[arg-type]
    assert (flight.left, flight.asked) == (0, 2)
