"""The state file and the logs."""

import json
import logging
import sys
from pathlib import Path

import pytest

from desk.logs import CompactLine, JsonLines
from desk.stack.processes import ProcessIdentity
from desk.stack.state import ServiceState, ServiceStatus, StackState, read_state, write_state
from desk.stack.supervise import shorten_log

STATE = StackState(
    supervisor=ProcessIdentity(1234, 5.5),
    services=(
        ServiceStatus(
            name="redis",
            state=ServiceState.READY,
            process=ProcessIdentity(1235, 6.5),
            port=6379,
            url="redis://127.0.0.1:6379/0",
            restarts=2,
            log="/x/redis.log",
        ),
    ),
    external=("warehouse",),
    configuration_hash="abc",
)


def test_a_state_survives_its_file(tmp_path: Path) -> None:
    """What is read is what was written."""
    write_state(tmp_path / "state.json", STATE)
    assert read_state(tmp_path / "state.json") == STATE


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"supervisor": 5}', "null"])
def test_a_state_that_cannot_be_read_counts_as_none(tmp_path: Path, text: str) -> None:
    """A torn or foreign file is stale, not an error."""
    (tmp_path / "state.json").write_text(text)
    assert read_state(tmp_path / "state.json") is None


def test_a_log_that_grew_too_long_keeps_its_end(tmp_path: Path) -> None:
    """The newest lines stay, and an appending writer goes on behind them."""
    path = tmp_path / "service.log"
    with path.open("ab") as log:
        log.write(b"old " * 1000 + b"new")
        log.flush()
        shorten_log(path, bytes_max=1000)
        log.write(b"er")
    assert path.stat().st_size == 502
    assert path.read_bytes().endswith(b"newer")


def test_a_log_line_is_json_for_machines_and_short_for_people() -> None:
    """Fields given as `extra` are in both."""
    record = logging.makeLogRecord(
        {"msg": "died", "name": "desk.stack.child", "levelno": 30, "levelname": "WARNING"}
    )
    record.service = "redis"
    entry = json.loads(JsonLines().format(record))
    assert (entry["component"], entry["action"], entry["service"]) == ("desk.stack.child", "died", "redis")
    assert CompactLine().format(record).endswith("warning desk.stack.child died service=redis")


@pytest.mark.parametrize("formatter", [JsonLines(), CompactLine()])
def test_the_cause_of_an_error_is_in_the_log(formatter: logging.Formatter) -> None:
    """An exception that was logged can be found afterwards, in the file and on the console."""
    try:
        raise ValueError("the cause")
    except ValueError:
        record = logging.LogRecord("desk", logging.ERROR, "f", 1, "cannot go on", (), sys.exc_info())
    assert "ValueError: the cause" in formatter.format(record)
