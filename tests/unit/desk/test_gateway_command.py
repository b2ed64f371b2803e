"""`desk gateway` and the resident behind it: what it plays, and what it leaves behind."""

import json
import signal
import subprocess
from pathlib import Path

import pytest
from desk_command import DESK, environment, first_lines, run_desk, start_desk

from desk.gateway_control import GatewayControlError, do_fault, show
from desk.stack.ports import PortReservations
from simulation.sample_desk.journal import Journal


def test_the_words_of_a_fault_script_are_listed(tmp_path: Path) -> None:
    """Every group of the catalogue is there, and nothing is started."""
    told = run_desk(tmp_path, "gateway", "--list-faults")
    assert "drop link" in told
    assert "correct last execution price <price>" in told
    assert not (tmp_path / "gateway").exists()


def test_a_script_that_cannot_be_read_is_one_sentence_with_its_line(tmp_path: Path) -> None:
    """Code 2, the file, the line and the word; nothing is played."""
    script = tmp_path / "mine.faults"
    script.write_text("at 10:00 drop link\nat 10:05 drop lnk\n")
    process = subprocess.run(
        [str(DESK), "gateway", "--faults", str(script)],
        env=environment(tmp_path / "home"), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert process.returncode == 2
    assert "line 2" in process.stderr
    assert "Traceback" not in process.stderr


def test_a_session_is_played_and_its_truth_written_when_it_ends(tmp_path: Path) -> None:
    """Ports are told, a fault is taken on demand, Ctrl-C writes the journal and the statements."""
    reservations = PortReservations()
    port, control = (reservations.choose(range(first, first + 200)) for first in (14_200, 14_400))
    process = start_desk(
        tmp_path, "gateway", "--speed", "3000", "--port", str(port), "--control-port", str(control)
    )
    try:
        told = first_lines(process, 2)
        assert f"127.0.0.1:{port}" in told[1]
        status = show(control, "status")
        assert (status["port"], status["clients"]) == (port, [])
        do_fault(control, "drop link")
        with pytest.raises(GatewayControlError, match="drop"):
            do_fault(control, "drop everything")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)
        reservations.release()
    assert process.returncode == 0
    (folder,) = (tmp_path / "gateway").iterdir()
    journal = Journal.read(folder / "journal.json")
    assert journal.sessions == ("2026-11-13",)
    assert len(list((folder / "statements").rglob("*.xml"))) == 4
    assert json.loads((folder / "inputs.jsonl").read_text().splitlines()[0])
