"""The GraphQL client against a small HTTP server of our own."""

import json
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from desk.dagster_api import DagsterApi, DagsterRefusedError, DagsterUnavailableError


class Stub(HTTPServer):
    """Answers every POST with the next of its answers and remembers what was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), StubHandler)
        self.answers: list[Any] = []
        self.asked: list[Any] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


class StubHandler(BaseHTTPRequestHandler):
    """One request."""

    server: Stub

    def do_POST(self) -> None:
        self.server.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        body = self.server.answers.pop(0)
        if isinstance(body, dict) and "sleep" in body:
            time.sleep(body["sleep"])
        text = body if isinstance(body, str) else json.dumps(body)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(text.encode())

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"another": "server"}')

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def stub() -> Iterator[Stub]:
    """A server that runs for one test."""
    server = Stub()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def locations(entry: Any) -> Any:
    """An answer to the question for code locations."""
    return {
        "data": {"workspaceOrError": {"locationEntries": [{"name": "desk", "locationOrLoadError": entry}]}}
    }


LOADED = locations({"repositories": [{"name": "__repository__"}]})


def test_a_run_of_a_range_is_launched_on_the_loaded_location(stub: Stub) -> None:
    """Job, location and tags arrive, and the id comes back."""
    stub.answers = [
        LOADED,
        {"data": {"launchRun": {"__typename": "LaunchRunSuccess", "run": {"runId": "r1"}}}},
    ]
    assert DagsterApi(stub.url).launch("books", {"a": "b"}) == "r1"
    parameters = stub.asked[1]["variables"]["parameters"]
    assert parameters["selector"] == {
        "repositoryLocationName": "desk",
        "repositoryName": "__repository__",
        "jobName": "books",
    }
    assert parameters["executionMetadata"] == {"tags": [{"key": "a", "value": "b"}]}


def test_a_refused_launch_says_why(stub: Stub) -> None:
    """The server's own words are in the error."""
    stub.answers = [
        LOADED,
        {"data": {"launchRun": {"__typename": "PipelineNotFoundError", "message": "no job books"}}},
    ]
    with pytest.raises(DagsterRefusedError, match="no job books"):
        DagsterApi(stub.url).launch("books", {})


def test_nothing_is_launched_where_no_code_is_loaded(stub: Stub) -> None:
    """A location with an error is told with its error, and holds no job."""
    stub.answers = [locations({"message": "ImportError: x"})] * 2
    api = DagsterApi(stub.url)
    assert api.locations()[0].error == "ImportError: x"
    with pytest.raises(DagsterRefusedError, match="no code location"):
        api.launch("books", {})


def test_a_server_that_is_not_there_is_unavailable() -> None:
    """Nobody listening is a transient error, not an empty answer."""
    api = DagsterApi("http://127.0.0.1:1")
    assert not api.is_answering()
    with pytest.raises(DagsterUnavailableError):
        api.runs()


def test_another_server_on_the_port_is_not_dagster(stub: Stub) -> None:
    """Readiness wants the webserver's own answer, and what is no JSON is no answer."""
    stub.answers = ["<html>"]
    api = DagsterApi(stub.url)
    assert not api.is_answering()
    with pytest.raises(DagsterUnavailableError):
        api.locations()


def test_an_error_of_graphql_is_an_error(stub: Stub) -> None:
    """Errors beside the data are not read over."""
    stub.answers = [{"errors": [{"message": "Cannot query field"}], "data": None}]
    with pytest.raises(DagsterRefusedError, match="Cannot query field"):
        DagsterApi(stub.url).runs()


def test_a_failed_run_is_told_by_its_innermost_error(stub: Stub) -> None:
    """The cause at the bottom of the chain is what a person needs."""
    error = {"message": "step failed\n", "cause": {"message": "warehouse refused: x\nstack", "cause": None}}
    stub.answers = [
        {"data": {"runOrError": {"eventConnection": {"events": [{}, {"stepKey": "pnl", "error": error}]}}}}
    ]
    assert DagsterApi(stub.url).failure("r1") == "pnl: warehouse refused: x"


def test_a_run_over_a_range_names_its_ends(stub: Stub) -> None:
    """Tags become the first and the last session."""
    tags = [
        {"key": "dagster/asset_partition_range_start", "value": "2026-11-02"},
        {"key": "dagster/asset_partition_range_end", "value": "2026-11-20"},
    ]
    row = {
        "runId": "r",
        "jobName": "j",
        "status": "SUCCESS",
        "creationTime": 5.0,
        "updateTime": 6.0,
        "tags": tags,
        "stats": None,
    }
    stub.answers = [{"data": {"runsOrError": {"results": [row]}}}]
    (run,) = DagsterApi(stub.url).runs()
    assert (run.first, run.last, run.is_finished, run.steps_done) == ("2026-11-02", "2026-11-20", True, 0)


def test_only_runs_last_heard_of_before_the_moment_are_given_up(stub: Stub) -> None:
    """What the new stack started itself goes on; where nothing is dead, nothing is asked."""
    row = {"jobName": "j", "status": "STARTED", "creationTime": 1.0, "tags": [], "stats": None}
    rows = [{**row, "runId": "dead", "updateTime": 5.0}, {**row, "runId": "alive", "updateTime": 15.0}]
    found = {"data": {"runsOrError": {"results": rows}}}
    stub.answers = [found, {"data": {"terminateRuns": {"__typename": "TerminateRunsResult"}}}]
    given_up = DagsterApi(stub.url).give_up_runs_before(10.0)
    assert [run.run_id for run in given_up] == ["dead"]
    assert stub.asked[-1]["variables"] == {"ids": ["dead"]}
    stub.answers = [found]
    assert DagsterApi(stub.url).give_up_runs_before(5.0) == []
    stub.answers = [found, {"data": {"terminateRuns": {"__typename": "PythonError", "message": "no"}}}]
    with pytest.raises(DagsterRefusedError, match="no"):
        DagsterApi(stub.url).give_up_runs_before(10.0)


def test_a_daemon_that_never_reported_counts_as_silent_for_ever(stub: Stub) -> None:
    """The quietest required daemon decides; optional ones do not."""
    statuses = [
        {"daemonType": "SENSOR", "required": True, "lastHeartbeatTime": 9.0},
        {"daemonType": "ASSET", "required": True, "lastHeartbeatTime": None},
        {"daemonType": "OTHER", "required": False, "lastHeartbeatTime": 1.0},
    ]
    stub.answers = [{"data": {"instance": {"daemonHealth": {"allDaemonStatuses": statuses}}}}]
    assert DagsterApi(stub.url).oldest_daemon_heartbeat() == 0.0


def test_a_question_that_times_out_is_asked_again_and_a_launch_is_not(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy webserver costs a question nothing but time; a second launch would be a second run."""
    monkeypatch.setattr("desk.dagster_api.QUERY_TIMEOUT_S", 0.8)
    monkeypatch.setattr("desk.dagster_api.LAUNCH_TIMEOUT_S", 0.8)
    slow = {"sleep": 1.2}
    stub.answers = [slow, LOADED]
    assert DagsterApi(stub.url).locations()[0].repository == "__repository__"
    stub.answers = [LOADED, slow, LOADED]
    with pytest.raises(DagsterUnavailableError):
        DagsterApi(stub.url).launch("close_the_books", {})
    assert sum("launchRun" in asked["query"] for asked in stub.asked) == 1


def test_certificates_are_read_for_encrypted_addresses_only(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A supervisor asks ten times a second, and each reading costs 20 ms; https is never left unproved."""
    read: list[object] = []
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *given, **_: read.append(given))
    assert not DagsterApi(stub.url).is_answering(), "another server than Dagster's"
    assert read == []
    assert not DagsterApi("https://127.0.0.1:1").is_answering()
    assert len(read) == 1
