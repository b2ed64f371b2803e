"""The contract tests of the gateway on the other client library, in an environment of its own.

Both libraries ship a package named eventkit, so they cannot share one. `DESK_SECOND_PYTHON` names the
interpreter of an environment that holds ib_async; without it one is made under .desk/second_library.
"""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from scripted_session import played

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / ".desk" / "second_library"
FOLDER_OF_TESTS = Path(__file__).parent
PACKAGES = (
    "ib_async==2.1.0", "exchange-calendars>=4.13", "orjson>=3.10", "psutil>=6", "pytest>=8.3",
    "pytest-timeout>=2.3", "pyyaml>=6", "tzdata",
)  # fmt: skip
SESSION_TESTS = (
    "tests/unit/adapters/ibkr/session",
    *(
        f"tests/scenario/test_broker_session{part}.py"
        for part in ("", "_links", "_log", "_orders", "_outbox")
    ),
)
MARKET_TESTS = (
    "tests/unit/adapters/ibkr/market",
    *(f"tests/scenario/test_market_{part}.py" for part in ("ingest", "ingest_faults", "lockstep")),
)
INSTALL_LIMIT_S, RUN_LIMIT_S = 240, 240

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def second_python() -> str:
    """An interpreter whose environment holds ib_async."""
    named = os.environ.get("DESK_SECOND_PYTHON")
    if named:
        return named
    python = FOLDER / "bin" / "python"
    if not python.exists():
        _run([sys.executable, "-m", "venv", str(FOLDER)], INSTALL_LIMIT_S)
    try:
        _run([str(python), "-m", "pip", "install", "-q", *PACKAGES], INSTALL_LIMIT_S)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        pytest.skip("the second client library could not be installed")
    return str(python)


def test_the_contract_holds_on_the_second_library(second_python: str) -> None:
    """Every test of this folder passes on ib_async as it does on ib_insync."""
    done = _run(
        [
            second_python,
            "-m",
            "pytest",
            "-q",
            "-m",
            "not soak",
            "-p",
            "no:cacheprovider",
            str(FOLDER_OF_TESTS),
        ]
    )
    assert " passed" in done
    assert "failed" not in done


def test_the_broker_session_is_the_same_on_the_second_library(second_python: str) -> None:
    """Every test of the session, its log of events too; without the process, which needs Redis."""
    command = [second_python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--durations=0", *SESSION_TESTS]
    assert " passed" in _run(command).splitlines()[-1]  # a failure is an error of the command already


def test_the_market_session_is_the_same_on_the_second_library(second_python: str) -> None:
    """Every test of the session that needs no Redis: quotes, faults, and a capture that is equal twice."""
    command = [second_python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--durations=0", *MARKET_TESTS]
    assert " passed" in _run(command).splitlines()[-1]


def test_both_libraries_tell_the_same_event_log(second_python: str) -> None:
    """The scripted session, line for line."""
    theirs = _run([second_python, str(ROOT / "tests" / "support" / "scripted_session.py")]).splitlines()
    assert theirs == asyncio.run(played())


def _run(command: list[str], limit_s: int = RUN_LIMIT_S) -> str:
    env = {
        **os.environ,
        "DESK_IB_LIBRARY": "ib_async",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support")]),
    }
    done = subprocess.run(
        command, cwd=ROOT, env=env, timeout=limit_s, check=True, capture_output=True, text=True
    )
    return done.stdout
