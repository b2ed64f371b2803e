"""A session in the foreground: what the options become, and that a home has one session of a kind."""

import logging
import os
from pathlib import Path

import pytest
import typer

from desk.foreground import gateway_given, hold_session
from desk.stack.layout import StackLayout
from desk.stack.processes import identify
from desk.stack.residents import BROKER, INGEST
from desk.stack.state import ServiceState, ServiceStatus, StackState, write_state
from trading.errors import ConfigurationError
from trading.settings import Settings

GIVEN = gateway_given("127.0.0.9", 4_123, 60)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own; what the command puts into the environment is taken back."""
    monkeypatch.setenv("DESK_HOME", str(tmp_path))
    for name in GIVEN:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    return tmp_path


def run_by_the_stack(home: Path, resident: str) -> None:
    """The state of a stack, supervised by this process, that runs a resident."""
    mine = identify(os.getpid())
    assert mine is not None
    service = ServiceStatus(
        name=resident, state=ServiceState.READY, process=mine, port=None, url=None, restarts=0, log=""
    )
    layout = StackLayout(home)
    layout.make_folders()
    state = StackState(supervisor=mine, services=(service,), external=(), configuration_hash="")
    write_state(layout.state_file, state)


def client_id(settings: Settings) -> int:
    """Of the broker session."""
    return settings.broker.client_id


@pytest.mark.parametrize(("result", "code"), [(0, 0), (1, 2)])
def test_the_options_are_the_settings_of_the_resident_and_its_end_is_the_exit_code(
    home: Path, capsys: pytest.CaptureFixture[str], result: int, code: int
) -> None:
    """A clock faster than ours is a simulated one; the place is said before the session speaks."""
    seen: list[str] = []

    def run() -> int:
        seen.extend(os.environ[name] for name in GIVEN)
        return result

    with pytest.raises(typer.Exit) as ended:
        hold_session(BROKER, GIVEN, client_id, lambda: run)
    assert ended.value.exit_code == code
    assert seen == ["127.0.0.9", "4123", "60", "true"]
    assert "127.0.0.9:4123 as client" in capsys.readouterr().out


def test_a_session_that_the_stack_runs_is_not_run_a_second_time(home: Path) -> None:
    """Two would fight for one client id; another resident of the stack is no hindrance."""
    run_by_the_stack(home, INGEST)
    with pytest.raises(ConfigurationError, match=f"own {INGEST}"):
        hold_session(INGEST, GIVEN, client_id, lambda: lambda: 0)
    with pytest.raises(typer.Exit):
        hold_session(BROKER, GIVEN, client_id, lambda: lambda: 0)
