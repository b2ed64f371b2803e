"""Calls the real `desk` command in a process of its own, on a home folder of its own."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DESK = Path(sys.executable).parent / "desk"
TIMEOUT_S = 280
READY_S = 120.0
NOT_PASSED_ON = (
    "CLICKHOUSE_URL",
    "CLICKHOUSE_READER_URL",
    "REDIS_URL",
    "DAGSTER_URL",
    "DESK_HOME",
    "DESK_INBOX",
)


def environment(home: Path, **more: str) -> dict[str, str]:
    """This process's environment with another home and without addresses."""
    kept = {name: value for name, value in os.environ.items() if name not in NOT_PASSED_ON}
    return {**kept, "DESK_HOME": str(home), **more}


def start_desk(home: Path, *arguments: str, **more: str) -> "subprocess.Popen[str]":
    """Start a command and do not wait."""
    return subprocess.Popen(
        [str(DESK), *arguments],
        env=environment(home, **more),
        cwd="/",  # every command works from any folder
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def first_lines(process: "subprocess.Popen[str]", count: int) -> list[str]:
    """The first lines of stdout; fails where they do not come."""
    assert process.stdout is not None
    text, deadline = b"", time.monotonic() + READY_S
    while text.count(b"\n") < count:  # read past the buffer: two lines that come at once are one read
        if select.select([process.stdout], [], [], 0.2)[0]:
            read = os.read(process.stdout.fileno(), 65_536)
            assert read, process.stderr.read() if process.stderr else ""
            text += read
        assert time.monotonic() < deadline, text
    return text.decode().splitlines(keepends=True)[:count]


def run_desk(home: Path, *arguments: str, code: int = 0, stdin: str = "", **more: str) -> str:
    """Run a command, hold it to its exit code, return stdout."""
    process = subprocess.run(
        [str(DESK), *arguments],
        env=environment(home, **more),
        cwd="/",
        input=stdin,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    words = f"desk {' '.join(arguments)}: {process.returncode}\n{process.stdout}\n{process.stderr}"
    assert process.returncode == code, words
    return process.stdout


def desk_json(home: Path, *arguments: str, code: int = 0, **more: str) -> Any:
    """Run a command with --json and read the last line of stdout."""
    return json.loads(run_desk(home, *arguments, "--json", code=code, **more).strip().splitlines()[-1])


def services(answer: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The services of `desk up` and `desk status` by name."""
    return {item["name"]: item for item in answer["services"]}
