"""`desk market`: a drawn market becomes files, files become a gateway."""

import signal
import subprocess
from pathlib import Path

import pytest
from desk_command import DESK, environment, first_lines, run_desk, start_desk
from small_recording import CALL, EARLY, options, small_recording

from desk.commands.market import symbols_of
from desk.gateway_control import show, step
from desk.stack.ports import PortReservations
from simulation.market.replay import recorded_world
from trading.errors import InvalidFieldError


def test_recorded_days_are_played_with_a_clock_that_is_moved_by_hand(tmp_path: Path) -> None:
    """What is odd in the files is said first; a step moves the world; Ctrl-C ends it in order."""
    folder = small_recording(tmp_path / "data")
    options(folder, EARLY, "quote", {CALL: "34200000,1,1,1,1,1,2,2,2,2,1\n", "nonsense": ""})
    reservations = PortReservations()
    port, control = (reservations.choose(range(first, first + 200)) for first in (14_600, 14_800))
    process = start_desk(
        tmp_path, "market", "replay", str(folder), "--session", f"{EARLY}", "--by-hand", "--lines", "500",
        "--port", str(port), "--control-port", str(control),
    )  # fmt: skip
    try:
        told = "".join(first_lines(process, 4))
        assert "Recorded: 2015-12-24; 1 option series; the clock is moved by hand." in told
        assert "members whose names say nothing to us: 1" in told
        assert f"127.0.0.1:{port}" in told
        before = show(control, "status")
        step(control, 90, 30)
        after = show(control, "status")
        assert (before["now"], after["now"]) == ("2015-12-24T14:29:00+00:00", "2015-12-24T14:30:30+00:00")
        assert before["remarks"]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)
        reservations.release()
    assert process.returncode == 0
    assert (tmp_path / "gateway" / "2015-12-24_data" / "journal.json").exists()


def test_a_folder_or_a_session_that_cannot_be_played_is_one_sentence(tmp_path: Path) -> None:
    """Code 2, what was expected, no traceback."""
    folder = small_recording(tmp_path / "data")
    for arguments, words in (
        ([str(tmp_path / "nowhere")], "expected a folder of Lean files"),
        ([str(folder), "--session", "2015-12-28"], "expected one of 2015-12-23, 2015-12-24, was 2015-12-28"),
    ):
        process = subprocess.run(
            [str(DESK), "market", "replay", *arguments],
            env=environment(tmp_path), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert process.returncode == 2, process.stderr
        assert words in process.stderr
        assert "Traceback" not in process.stderr


def test_a_drawn_market_is_written_so_that_it_can_be_played(tmp_path: Path) -> None:
    """The files are a recorded world with the session that was asked for; a wrong symbol is one sentence."""
    out = tmp_path / "drawn"
    asked = ("market", "generate", "--session", "2026-11-27", "--out", str(out))
    assert "files in" in run_desk(tmp_path, *asked, "--symbols", "iwm")
    world = recorded_world(out)
    assert [str(session) for session in world.sessions] == ["2026-11-27"]
    assert len(world.listings.by_conid) > 100
    run_desk(tmp_path, *asked, "--symbols", "NOPE", code=2)


def test_symbols_are_taken_with_blanks_and_each_once() -> None:
    """Blanks are no part of a name; a name that is given twice is refused, and said which."""
    assert symbols_of("spy, qqq ,IWM") == ("SPY", "QQQ", "IWM")
    with pytest.raises(InvalidFieldError, match="SPY is there twice"):
        symbols_of("SPY,QQQ, spy")
    for text in ("", "SPY,", ",SPY", "SPY,,QQQ"):
        with pytest.raises(InvalidFieldError, match="--symbols"):
            symbols_of(text)
