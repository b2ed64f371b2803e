"""The command line without a stack: exit codes, help, and what is said about what is missing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from desk_command import DESK, desk_json, environment, run_desk
from typer.testing import CliRunner

from desk import cli
from desk.cli import COMMANDS, app

WITHOUT_WAREHOUSE = (
    "desk.commands.status", "desk.commands.down", "desk.commands.feeds", "desk.commands.alerts",
    "desk.stack.supervise", "desk.residents.broker", "desk.residents.ingest",
)  # fmt: skip
DRIVERS = ("clickhouse_connect", "pyarrow", "pandas")


def test_who_asks_no_warehouse_loads_no_driver_of_it() -> None:
    """`desk status` and the sessions with the broker start without Arrow and the warehouse's client."""
    loads = f"import sys, {', '.join(WITHOUT_WAREHOUSE)}"
    asks = f"print([name for name in {DRIVERS} if name in sys.modules])"
    command = [sys.executable, "-c", f"{loads}; {asks}"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert told == "[]\n"


def test_every_command_explains_itself_with_examples() -> None:
    """`--help` of each command shows how it is called."""
    for name in COMMANDS:
        text = CliRunner().invoke(app, [name, "--help"]).output
        is_group = "COMMAND [ARGS]" in text
        assert is_group or "Examples:" in text, name


@pytest.mark.parametrize(
    "arguments",
    [
        ["pnl"],
        ["reconcile"],
        ["breaks"],
        ["locks"],
        ["orders"],
        ["positions"],
        ["coverage"],
        ["migrate"],
        ["backup"],
        ["sql", "select 1"],
    ],
)
def test_without_a_stack_the_message_says_how_to_mend_it(tmp_path: Path, arguments: list[str]) -> None:
    """Code 2, one sentence on stderr that names `desk up`, no traceback."""
    process = subprocess.run(
        [str(DESK), *arguments], env=environment(tmp_path), capture_output=True, text=True, check=False
    )
    assert process.returncode == 2
    assert "desk up" in process.stderr
    assert "Traceback" not in process.stderr


def test_a_missing_file_among_others_is_told_before_any_is_stored(tmp_path: Path) -> None:
    """The services are not even asked for: nothing of a wrong call is done."""
    there = tmp_path / "there.xml"
    there.write_text("<x/>")
    process = subprocess.run(
        [str(DESK), "fills", "ingest", "--venue", "ibkr", str(there), str(tmp_path / "gone.xml")],
        env=environment(tmp_path), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (process.returncode, "gone.xml" in process.stderr) == (2, True)


def test_a_day_without_a_session_is_not_reconciled_in_silence(tmp_path: Path) -> None:
    """A Saturday is wrong use, and the message names the session that was probably meant."""
    process = subprocess.run(
        [str(DESK), "reconcile", "--session", "2026-07-18"],
        env=environment(tmp_path), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (process.returncode, "2026-07-20" in process.stderr) == (2, True)


def test_a_home_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    """No traceback, and never code 1, which says that something was done and found."""
    home = tmp_path / "home"
    home.write_text("")
    process = subprocess.run(
        [str(DESK), "up"], env=environment(home), capture_output=True, text=True, check=False
    )
    assert process.returncode == 2
    assert str(home) in process.stderr
    assert "Traceback" not in process.stderr


def test_an_error_that_nobody_foresaw_is_not_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Code 1 is kept for open breaks and rejected rows; a crash answers 2, with its traceback."""

    def crash() -> None:
        raise RuntimeError("never thought of")

    monkeypatch.setattr(cli, "app", crash)
    assert cli._run() == 2


def test_a_home_without_a_stack_is_told_in_json_too(tmp_path: Path) -> None:
    """Scripts read the same truth, and asking makes no folder."""
    home = tmp_path / "none"
    assert desk_json(home, "status", code=2) == {"home": str(home), "running": False}
    assert desk_json(home, "down") == {"was_running": False, "leftovers_ended": 0, "ports_still_open": []}
    assert not home.exists()


def test_a_wrong_setting_stops_every_command_by_its_key(tmp_path: Path) -> None:
    """The key is in the message, the code is 2."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "stack.yaml").write_text("redis_port: never\n")
    process = subprocess.run(
        [str(DESK), "status"], env=environment(tmp_path), capture_output=True, text=True, check=False
    )
    assert (process.returncode, "stack.redis_port" in process.stderr) == (2, True)


def test_the_doctor_names_what_is_missing(tmp_path: Path) -> None:
    """On a fresh home nothing is broken; secrets that others can read are, with the way to mend them."""
    assert desk_json(tmp_path / "fresh", "doctor")["healthy"] is True
    secrets = tmp_path / "secrets.env"
    secrets.write_text("REDIS_PASSWORD=x\n")
    secrets.chmod(0o644)
    findings = {item["name"]: item for item in desk_json(tmp_path, "doctor", code=2)["findings"]}
    assert findings["home"]["verdict"] == "broken"
    assert findings["home"]["mend"] == f"chmod 600 {secrets}"


def test_completion_of_the_shell_knows_the_commands(tmp_path: Path) -> None:
    """Pressing tab after `desk re` offers reconcile and restore."""
    process = subprocess.run(
        [str(DESK)],
        env=environment(tmp_path, _DESK_COMPLETE="complete_bash", COMP_WORDS="desk re", COMP_CWORD="1"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert set(process.stdout.split()) == {"reconcile", "restore"}


def test_json_is_the_last_line_of_stdout(tmp_path: Path) -> None:
    """A caller that reads the last line gets the whole document."""
    text = run_desk(tmp_path, "status", "--json", code=2)
    assert json.loads(text.splitlines()[-1])["running"] is False
