"""Where messages begin and end, however the bytes arrive."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.tws.framing import MESSAGE_BYTES_MAX, BadFrame, Inbox, fields_of, framed

TEXT = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=20)
MESSAGES = st.lists(st.lists(TEXT, min_size=1, max_size=6), max_size=8)


@given(MESSAGES, st.lists(st.integers(1, 40), max_size=20))
def test_messages_survive_any_cutting_of_the_stream(messages: list[list[str]], cuts: list[int]) -> None:
    """Split anywhere or joined: the same messages come out, in order."""
    stream = b"".join(framed(message) for message in messages)
    inbox, heard = Inbox(), []
    pieces = []
    for size in cuts:
        pieces.append(stream[:size])
        stream = stream[size:]
    for piece in [*pieces, stream]:
        inbox.take(piece)
        heard += [fields_of(body) for body in inbox.bodies()]
    assert heard == messages


def test_the_prefix_is_recognized_as_soon_as_it_can_be() -> None:
    """Too little is no answer yet, a wrong byte is a no at once, and the whole is consumed."""
    inbox = Inbox()
    inbox.take(b"AP")
    assert inbox.starts_with(b"API\0") is None
    inbox.take(b"I\0" + framed(["v157..176"]))
    assert inbox.starts_with(b"API\0") is True
    assert [fields_of(body) for body in inbox.bodies()] == [["v157..176"]]
    other = Inbox()
    other.take(b"GE")
    assert other.starts_with(b"API\0") is False


@pytest.mark.parametrize("length", [0, MESSAGE_BYTES_MAX + 1, 2**32 - 1])
def test_an_impossible_length_is_refused_before_anything_is_kept(length: int) -> None:
    """The error names the length; what came before it is still read."""
    inbox = Inbox()
    inbox.take(framed(["49", "1"]) + length.to_bytes(4, "big"))
    bodies = inbox.bodies()
    assert fields_of(next(bodies)) == ["49", "1"]
    with pytest.raises(BadFrame, match=str(length)):
        next(bodies)


def test_bytes_that_are_no_text_are_kept_readable() -> None:
    """A broken encoding cannot raise: it becomes escapes."""
    assert fields_of(b"9\0\xff\xfe\0") == ["9", "\\xff\\xfe"]


def test_a_body_without_a_last_nul_is_read_too() -> None:
    """The version range comes without one."""
    assert fields_of(b"v157..176") == ["v157..176"]
