"""The embedded stack, for real: started, killed, restarted, asked, saved, stopped. One stack for the whole
file; from the test of its killed supervisor on the residents run in it, too.
"""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
import pytest
import redis
from desk_command import desk_json, run_desk, services, start_desk

from adapters.configuration.environment import read_environment_file
from desk.stack.ports import port_is_free
from desk.stack.processes import marked_processes

NAMES = ["warehouse", "redis", "code-server", "webserver", "daemon"]
RESIDENTS = ["gateway", "drain", "broker"]
WAIT_S = 120.0


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A running stack, started by two commands at once; stopped at the end whatever happened."""
    folder = tmp_path_factory.mktemp("desk home")  # with a blank, as people have them
    commands = [start_desk(folder, "up", "--json") for _ in range(2)]
    try:
        answers = [(command.communicate(timeout=240), command.returncode) for command in commands]
        assert [code for _, code in answers] == [0, 0], answers
        told = [json.loads(out) for (out, _), _ in answers]
        assert told[0]["supervisor_pid"] == told[1]["supervisor_pid"]
        assert sorted(answer["was_running"] for answer in told) == [False, True]
        yield folder
    finally:
        run_desk(folder, "down")


def status_of(home: Path) -> dict[str, dict[str, Any]]:
    """The state file's services by name: what `desk status` shows, without the cost of a process."""
    return services(json.loads((home / "stack" / "state.json").read_text()))


def wait_until_ready(home: Path, name: str, other_than: int) -> dict[str, Any]:
    """Wait for a service to be ready again under a new pid."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        service = status_of(home)[name]
        process = service["process"]  # None between the death and the next life
        if service["state"] == "ready" and process is not None and process["pid"] != other_than:
            return service
        time.sleep(0.05)
    raise AssertionError(f"{name} did not come back: {status_of(home)[name]}")


def redis_as(home: Path, user: str | None, password: str | None) -> Any:
    """A client of the stack's Redis."""
    return redis.Redis(port=status_of(home)["redis"]["port"], username=user, password=password)


def test_up_starts_everything_and_a_second_up_nothing(home: Path) -> None:
    """All five services are ready, and repeating the command leaves every process as it is."""
    before = services(desk_json(home, "status"))
    again = desk_json(home, "up")
    assert list(before) == NAMES
    assert again["was_running"] is True
    assert {name: item["pid"] for name, item in services(again).items()} == {
        name: item["pid"] for name, item in before.items()
    }
    assert again["migrations_applied"] == []


def test_a_warehouse_that_was_started_here_has_its_schema(home: Path) -> None:
    """A new user drops files after `desk up`; no other command is needed first."""
    run_desk(home, "sql", "select count() from core.fills")
    assert desk_json(home, "migrate")["applied"] == []


def test_nothing_listens_beyond_loopback(home: Path) -> None:
    """Every listening socket of the stack is bound to 127.0.0.1 (gRPC writes it as an IPv6 address)."""
    addresses = {
        connection.laddr.ip.removeprefix("::ffff:")
        for process in marked_processes(home)
        for connection in process.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    assert addresses == {"127.0.0.1"}


def test_passwords_are_private(home: Path) -> None:
    """The secrets file is its owner's only; no password is in the state, on a command line or in a log."""
    secrets = home / "secrets.env"
    passwords = set(read_environment_file(secrets).values())
    assert secrets.stat().st_mode & 0o777 == 0o600
    assert (home / "stack" / "endpoints.env").stat().st_mode & 0o777 == 0o600
    shown = (home / "stack" / "state.json").read_text()
    shown += "".join(path.read_text(errors="replace") for path in (home / "logs").iterdir())
    shown += " ".join(word for process in marked_processes(home) for word in process.cmdline())
    shown += run_desk(home, "env", "--no-passwords")
    assert not [password for password in passwords if password in shown]


def test_the_reader_reads_and_changes_nothing(home: Path) -> None:
    """`desk sql` answers in three formats, and a statement that would change something is refused with code
    2.
    """
    question = "select toInt8(7) as seven, toDecimal64('1.50', 2) as price, 'a,b' as text"
    assert json.loads(run_desk(home, "sql", "--format", "json", question))[0]["text"] == "a,b"
    assert run_desk(home, "sql", "--format", "csv", "-", stdin=question).splitlines() == [
        '"seven","price","text"',
        '7,1.5,"a,b"',
    ]
    assert "seven" in run_desk(home, "sql", question)
    run_desk(home, "sql", "create database mine", code=2)
    run_desk(home, "sql", "select * from file('/etc/passwd', 'LineAsString')", code=2)
    run_desk(home, "sql", "selct 1", code=2)


def test_redis_refuses_strangers_and_the_application_cannot_wipe_it(home: Path) -> None:
    """The default user is off; the application's account works with keys, not with the server."""
    password = read_environment_file(home / "secrets.env")["REDIS_PASSWORD"]
    with pytest.raises(redis.AuthenticationError):
        redis_as(home, None, None).ping()
    application = redis_as(home, "desk", password)
    assert application.set("a", "b")
    assert application.eval("return redis.call('get', KEYS[1])", 1, "a") == b"b"
    for forbidden in (application.flushall, application.flushdb, lambda: application.config_set("save", "")):
        with pytest.raises(redis.exceptions.NoPermissionError):
            forbidden()


@pytest.mark.parametrize("name", NAMES)
def test_a_killed_service_comes_back_with_what_it_held(home: Path, name: str) -> None:
    """kill -9 of any service: it is restarted on its port, and Redis has forgotten nothing."""
    password = read_environment_file(home / "secrets.env")["REDIS_PASSWORD"]
    redis_as(home, "desk", password).set("kept", name)
    before = status_of(home)[name]
    os.kill(before["process"]["pid"], signal.SIGKILL)
    after = wait_until_ready(home, name, before["process"]["pid"])
    assert after["port"] == before["port"]
    assert after["restarts"] == before["restarts"] + 1
    assert redis_as(home, "desk", password).get("kept") == name.encode()


def test_wrong_use_ends_with_code_2(home: Path) -> None:
    """Unknown commands, missing arguments, files that are not there, breaks of format."""
    for arguments in (["nothing"], ["sql"], ["sql", "--format", "xml", "select 1"], ["fills", "ingest"]):
        run_desk(home, *arguments, code=2)
    run_desk(home, "fills", "ingest", "--venue", "ibkr", "/no/such/file.xml", code=2)
    run_desk(home, "restore", "/no/such/file.tar", code=2)


def test_a_backup_brings_everything_back(home: Path) -> None:
    """What was lost after a backup is there again after the restore, counted against its manifest."""
    run_desk(home, "migrate")
    applied = desk_json(home, "migrate")
    assert applied["applied"] == []
    made = desk_json(home, "backup")
    assert made["rows"] >= len(applied["present"])
    run_desk(home, "restore", made["file"], code=2)  # the databases are there
    restored = desk_json(home, "restore", made["file"], "--replace")
    assert (restored["rows"], restored["differences"]) == (made["rows"], [])


def test_the_doctor_finds_a_running_stack_healthy(home: Path) -> None:
    """Nothing is broken once the migrations are applied."""
    run_desk(home, "migrate")
    report = desk_json(home, "doctor")
    assert report["healthy"], report


def test_a_second_stack_runs_beside_and_takes_real_services_by_their_address(
    home: Path, tmp_path: Path
) -> None:
    """Another home gets other ports; a service whose address is given is not started."""
    endpoints = read_environment_file(home / "stack" / "endpoints.env")
    given = {name: endpoints[name] for name in ("CLICKHOUSE_URL", "CLICKHOUSE_READER_URL")}
    second = tmp_path / "second"
    try:
        answer = desk_json(second, "up", **given)
        assert answer["external"] == ["warehouse"]
        mine, theirs = services(answer), status_of(home)
        assert list(mine) == NAMES[1:]
        assert all(
            mine[name]["port"] != theirs[name]["port"] for name in ("redis", "code-server", "webserver")
        )
        run_desk(second, "sql", "select 1", **given)
        run_desk(second, "up", code=2)  # without the address it is another stack: `desk down` first
    finally:
        run_desk(second, "down")
    assert not marked_processes(second)
    assert len(marked_processes(home)) >= len(NAMES)


def test_a_killed_supervisor_is_noticed_and_replaced(home: Path) -> None:
    """Status and doctor say so with code 2; `desk up` ends what was left, and starts afresh: a run that was
    killed with the stack is given up, and what waits in the queue is not.
    """
    with dg.DagsterInstance.from_config(str(home / "dagster")) as dagster:
        killed = dagster.add_run(dg.DagsterRun(job_name="no_job", status=dg.DagsterRunStatus.STARTED))
        planned = dagster.add_run(dg.DagsterRun(job_name="no_job", status=dg.DagsterRunStatus.NOT_STARTED))
    supervisor = json.loads((home / "stack" / "state.json").read_text())["supervisor"]["pid"]
    os.kill(supervisor, signal.SIGKILL)
    assert desk_json(home, "status", code=2)["running"] is False
    findings = {item["name"]: item for item in desk_json(home, "doctor", code=2)["findings"]}
    assert findings["stale state"]["verdict"] == "broken"
    assert "desk up" in findings["stale state"]["mend"]
    left = {process.pid for process in marked_processes(home)}
    answer = desk_json(home, "up", "--gateway")
    assert answer["was_running"] is False
    assert not left & {item["pid"] for item in answer["services"]}
    assert services(answer)["webserver"]["state"] == "ready"
    with dg.DagsterInstance.from_config(str(home / "dagster")) as dagster:
        assert dagster.get_run_by_id(killed.run_id).status is dg.DagsterRunStatus.CANCELED  # type: ignore[union-attr]
        assert dagster.get_run_by_id(planned.run_id).status is dg.DagsterRunStatus.NOT_STARTED  # type: ignore[union-attr]


def test_the_residents_are_services_of_the_stack(home: Path) -> None:
    """`desk status` shows them in the order they start, and `desk doctor` hears their hearts."""
    shown = services(desk_json(home, "status"))
    assert [name for name in shown if name in RESIDENTS] == RESIDENTS
    assert {shown[name]["state"] for name in RESIDENTS} == {"ready"}
    findings = {item["name"]: item for item in desk_json(home, "doctor")["findings"]}
    assert findings["residents"]["verdict"] == "good"
    assert all(name in findings["residents"]["detail"] for name in ("drain", "broker"))


def test_no_resident_listens_beyond_loopback(home: Path) -> None:
    """The gateway and its control port are bound to 127.0.0.1; drain and session listen nowhere."""
    listening = {
        (name, connection.laddr.ip)
        for name in RESIDENTS
        for connection in psutil.Process(status_of(home)[name]["process"]["pid"]).net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {("gateway", "127.0.0.1")}


@pytest.mark.parametrize("name", RESIDENTS)
def test_a_killed_resident_is_back(home: Path, name: str) -> None:
    """kill -9: another process is there on its port, and it becomes ready; how soon is `test_child.py`'s."""
    before = status_of(home)[name]
    os.kill(before["process"]["pid"], signal.SIGKILL)
    after = wait_until_ready(home, name, before["process"]["pid"])
    assert (after["port"], after["restarts"]) == (before["port"], before["restarts"] + 1)


def test_down_ends_everything_and_leaves_the_ports_free(home: Path) -> None:
    """No process, no open port, no address file is left; a second `down` and a `status` say that nothing
    runs.
    """
    ports = [item["port"] for item in status_of(home).values() if item["port"]]
    report = desk_json(home, "down")
    assert report == {"was_running": True, "leftovers_ended": 0, "ports_still_open": []}
    assert not marked_processes(home)
    assert all(port_is_free(port) for port in ports)
    assert not (home / "stack" / "endpoints.env").exists()
    assert desk_json(home, "down")["was_running"] is False
    assert desk_json(home, "status", code=2)["running"] is False
    run_desk(home, "sql", "select 1", code=2)
