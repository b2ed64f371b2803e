"""Progress where stderr is no terminal: lines that tell what is done, while it is done."""

import io
import subprocess
import sys

from desk.answers import LINE_EVERY_S, ProgressLines

IN_A_PIPE = """
from desk.answers import progress
import sys
with progress(takes_minutes=True) as advance:
    advance("landing files", 0, 341)
    sys.stdin.readline()
"""


def test_a_thing_is_told_when_it_begins_and_now_and_then() -> None:
    """A hundred looks in ten seconds make two lines; the next thing is told at once, a repeat never."""
    now, out = [0.0], io.StringIO()
    advance = ProgressLines(out, lambda: now[0])
    for step in range(100):
        now[0] = step * LINE_EVERY_S / 99
        advance(f"booking the month: {step} steps", step, 341)
    advance("draining", 0, None)
    now[0] += 2 * LINE_EVERY_S
    advance("draining", 0, None)
    assert out.getvalue().splitlines() == [
        "    0 s  booking the month: 0 steps 0/341",
        "   10 s  booking the month: 99 steps 99/341",
        "   10 s  draining",
    ]


def test_a_pipe_has_the_line_while_the_work_goes_on() -> None:
    """Who reads the other end of a pipe sees what is being done before it is over."""
    with subprocess.Popen(
        [sys.executable, "-c", IN_A_PIPE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as command:
        assert command.stderr is not None
        assert command.stdin is not None
        assert command.stderr.readline().endswith(b"s  landing files 0/341\n")
        assert command.poll() is None
        command.stdin.write(b"\n")
