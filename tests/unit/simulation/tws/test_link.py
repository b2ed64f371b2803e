"""One socket without a socket: what is written when, and when a client is given up."""

from typing import Any

import pytest

from simulation.tws import link as link_module
from simulation.tws.faults import WireFaults
from simulation.tws.framing import Inbox, fields_of, framed
from simulation.tws.link import Link, LinkOwner


class FakeTransport:
    """Keeps what is written; `unread` is what the other side has not taken."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.unread = 0
        self.is_gone = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def get_write_buffer_size(self) -> int:
        return self.unread

    def is_closing(self) -> bool:
        return self.is_gone

    def abort(self) -> None:
        self.is_gone = True

    close = abort


class Owner(LinkOwner):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.messages: list[list[str]] = []
        self.complaints: list[str] = []

    def received(self, fields: list[str]) -> None:
        self.messages.append(fields)

    def unreadable(self, reason: str) -> None:
        self.complaints.append(reason)

    def lost(self) -> None:
        """Nothing to note."""


def opened(**faults: Any) -> tuple[Link, FakeTransport, Owner]:
    """A link whose client has said API."""
    owner, transport = Owner(), FakeTransport()
    link = Link(WireFaults(**faults), lambda _: owner)
    link.connection_made(transport)  # type: ignore[arg-type]
    link.data_received(b"API\0")
    return link, transport, owner


def test_what_is_queued_goes_out_in_one_segment() -> None:
    """Several messages, one write."""
    link, transport, _ = opened()
    link.send(["9", "1", "5"])
    link.send(["49", "1", "7"])
    link.flush()
    (segment,) = transport.written
    assert segment == framed(["9", "1", "5"]) + framed(["49", "1", "7"])


def test_a_cut_message_is_half_a_message_and_the_end() -> None:
    """What was queued before it is whole; the half can never be read as a message."""
    link, transport, _ = opened()
    link.send(["9", "1", "5"])
    link.faults.cut_next_message = True
    link.send(["49", "1", "7"])
    inbox = Inbox()
    inbox.take(b"".join(transport.written))
    assert [fields_of(body) for body in inbox.bodies()] == [["9", "1", "5"]]
    assert transport.is_gone
    assert not link.faults.cut_next_message


def test_a_link_breaks_after_so_many_messages() -> None:
    """Two whole ones, half of the third: how an answer is cut short."""
    link, transport, _ = opened(cut_after_messages=2)
    for number in range(4):
        link.send(["11", str(number)])
    inbox = Inbox()
    inbox.take(b"".join(transport.written))
    assert [fields_of(body) for body in inbox.bodies()] == [["11", "0"], ["11", "1"]]
    assert transport.is_gone


def test_a_half_open_link_neither_reads_nor_writes() -> None:
    """It looks alive, and nothing passes."""
    link, transport, owner = opened(half_open=True)
    link.data_received(framed(["49", "1"]))
    link.send(["9", "1", "5"])
    link.flush()
    assert (transport.written, owner.messages, transport.is_gone) == ([], [], False)


def test_a_client_that_does_not_read_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway keeps no endless heap of what somebody will never take."""
    monkeypatch.setattr(link_module, "UNSENT_BYTES_MAX", 1_000)
    link, transport, _ = opened()
    transport.unread = 1_001
    link.send(["9", "1", "5"])
    link.flush()
    assert transport.is_gone


def test_an_impossible_length_is_told_and_ends_the_link() -> None:
    """The messages before it are still answered."""
    link, transport, owner = opened()
    link.data_received(framed(["49", "1"]) + b"\xff\xff\xff\xff")
    assert owner.messages == [["49", "1"]]
    assert len(owner.complaints) == 1
    assert transport.is_gone


def test_who_does_not_say_api_is_cut_off() -> None:
    """The first wrong byte is enough."""
    owner, transport = Owner(), FakeTransport()
    link = Link(WireFaults(), lambda _: owner)
    link.connection_made(transport)  # type: ignore[arg-type]
    link.data_received(b"G")
    assert transport.is_gone
    assert owner.messages == []


def test_all_switches_go_back_at_once() -> None:
    """Clearing the faults is a gateway as it should be."""
    faults = WireFaults(half_open=True, execution_copies=3, halted={1})
    faults.clear()
    assert faults == WireFaults()
    assert faults.as_dict()["execution_copies"] == 1
