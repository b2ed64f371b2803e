"""What an insert that breaks off leaves behind: a connection that takes the next query."""

from collections.abc import Iterator

import pytest

from warehouse_server.engine import Engine, Session, Statistics
from warehouse_server.refusals import Refusal


class Connection:
    """Refuses data from the second part on, and every query while an insert is open, as the engine does."""

    def __init__(self) -> None:
        self.is_inserting = False
        self.parts = 0

    def send_insert(self, head: bytes, input_format: str) -> object:
        self.is_inserting = True
        return object()

    def insert_append(self, handle: object, part: bytes) -> None:
        self.parts += 1
        if self.parts > 1:
            raise RuntimeError("Code: 27. DB::Exception: Cannot parse input. (CANNOT_PARSE)")

    def insert_cancel(self, handle: object) -> None:
        self.is_inserting = False


def session() -> tuple[Session, Connection]:
    raw, engine = Connection(), Engine.__new__(Engine)
    engine.version = "1"
    return Session(raw, engine), raw


def test_an_insert_whose_data_the_engine_refuses_is_canceled() -> None:
    """The caller hears the engine's reason, and the connection is free while the reason is still held."""
    connection, raw = session()
    with pytest.raises(Refusal) as caught:
        connection.insert(b"insert into t", "TabSeparated", [b"1\n", b"x\n"], Statistics())
    assert caught.value.code == 27
    assert not raw.is_inserting


def test_an_insert_whose_client_goes_away_is_canceled() -> None:
    """What the source of the data raises reaches the caller as it is."""

    def parts() -> Iterator[bytes]:
        yield b"1\n"
        raise ConnectionResetError("gone")

    connection, raw = session()
    with pytest.raises(ConnectionResetError):
        connection.insert(b"insert into t", "TabSeparated", parts(), Statistics())
    assert not raw.is_inserting
