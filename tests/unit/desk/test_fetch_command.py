"""`desk fetch` against the broker's web service on loopback: files, exit codes, and what is said."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk_command import DESK, environment
from flex_documents import confirm, confirmations, document, section, statement, trade

from simulation.http.flex import FlexStub, error, serve_flex
from simulation.http.server import Fault

TOKEN = "998877665544332211009988"
ACTIVITY = document(statement(section("Trades", trade())))
WAIT_S = 120


@pytest.fixture
def stub() -> Iterator[FlexStub]:
    with serve_flex({"744001": ACTIVITY, "744002": confirmations(confirm())}, token=TOKEN) as running:
        assert isinstance(running, FlexStub)
        yield running


def desk_fetch(
    home: Path, stub: FlexStub, *arguments: str, **changes: str
) -> "subprocess.CompletedProcess[str]":
    told = {
        "IBKR_FLEX_TOKEN": TOKEN,
        "IBKR_FLEX_ACTIVITY_QUERY": "744001",
        "IBKR_FLEX_CONFIRMATION_QUERY": "744002",
        "IBKR_FLEX_URL": stub.base_url,
        "IBKR_FLEX_INTERVAL_MS": "0",
        "IBKR_FLEX_BACKOFF_MS": "0",
        **changes,
    }
    return subprocess.run(
        [str(DESK), "fetch", *arguments],
        env=environment(home, **told),
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )


def test_both_statements_lie_in_the_inbox(tmp_path: Path, stub: FlexStub) -> None:
    """Without --query all that are configured; one JSON document says what they cover."""
    stub.polls = 2
    done = desk_fetch(tmp_path, stub, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["errors"] == {}
    assert [item["query"] for item in told["statements"]] == ["activity", "confirmation"]
    assert {item["file"] for item in told["statements"]} == {
        path.name for path in (tmp_path / "inbox").iterdir()
    }
    assert ACTIVITY in [path.read_bytes() for path in (tmp_path / "inbox").iterdir()]
    assert told["statements"][0]["to_date"] == "2026-09-25"


def test_a_statement_that_ends_too_early_is_a_finding(tmp_path: Path, stub: FlexStub) -> None:
    """Code 1, and it stays outside of the inbox."""
    done = desk_fetch(tmp_path, stub, "--query", "activity", "--session", "2026-09-28")
    assert (done.returncode, "ends too early" in done.stderr) == (1, True)
    assert not (tmp_path / "inbox").exists()


@pytest.mark.parametrize(
    ("arguments", "changes", "words"),
    [
        ((), {"IBKR_FLEX_TOKEN": ""}, "set IBKR_FLEX_TOKEN and IBKR_FLEX_ACTIVITY_QUERY or"),
        (("--query", "confirmation"), {"IBKR_FLEX_CONFIRMATION_QUERY": ""}, "IBKR_FLEX_CONFIRMATION_QUERY"),
        ((), {"IBKR_FLEX_TOKEN": TOKEN[::-1]}, "code 1015, the token is invalid"),
        ((), {"IBKR_FLEX_URL": "http://example.org/x"}, "flex.base_url: expected https"),
        ((), {"IBKR_FLEX_INTERVAL_MS": "soon"}, "flex.request_interval_ms: expected a whole number"),
        (("--session", "2026-09-26"), {}, "--session: expected a session"),
        (("--query", "positions"), {}, "positions"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    tmp_path: Path, stub: FlexStub, arguments: tuple[str, ...], changes: dict[str, str], words: str
) -> None:
    """Code 2, what to mend, no traceback, no token, no file."""
    done = desk_fetch(tmp_path, stub, *arguments, **changes)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert TOKEN not in done.stdout + done.stderr
    assert not (tmp_path / "inbox").exists()


def test_one_query_that_is_refused_does_not_hold_up_the_other(tmp_path: Path, stub: FlexStub) -> None:
    """Code 2 for the one, the file of the other is there."""
    stub.faults.append(Fault(answer=error(1014)))
    done = desk_fetch(tmp_path, stub, "--json")
    assert done.returncode == 2
    told = json.loads(done.stdout.splitlines()[-1])
    assert list(told["errors"]) == ["activity"]
    assert [item["query"] for item in told["statements"]] == ["confirmation"]
    assert len(list((tmp_path / "inbox").iterdir())) == 1


def test_a_log_of_the_desk_holds_no_token(tmp_path: Path, stub: FlexStub) -> None:
    """The line that each call leaves names the command only."""
    (tmp_path / "logs").mkdir()
    stub.faults.extend(Fault(drop=True) for _ in range(2))
    assert desk_fetch(tmp_path, stub).returncode == 0
    logged = (tmp_path / "logs" / "desk.jsonl").read_text()
    assert '"command": "fetch"' in logged
    assert TOKEN not in logged
