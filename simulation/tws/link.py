"""One socket: bytes in, whole messages to the client's session; messages out, as the faults let them.

Keep out: what a message means.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from simulation.tws.faults import WireFaults
from simulation.tws.framing import BadFrame, Inbox, fields_of, framed

UNSENT_BYTES_MAX = 64 * 1_048_576  # a client that does not read this much is cut off


class Link(asyncio.Protocol):
    """The transport of one client; `session` is told of messages and of the end."""

    def __init__(self, faults: WireFaults, opened: "Callable[[Link], LinkOwner | None]") -> None:
        self.faults = faults
        self._opened = opened
        self._owner: LinkOwner | None = None
        self._inbox = Inbox()
        self._transport: asyncio.Transport | None = None
        self._pending: list[bytes] = []
        self._trickle = bytearray()
        self._flush_due = False
        self.messages_sent = 0

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._owner = self._opened(self)
        if self._owner is None:
            self.abort()

    def data_received(self, data: bytes) -> None:
        if self.faults.half_open or self._owner is None:
            return
        self._inbox.take(data)
        try:
            if self._owner.wants_prefix:
                starts = self._inbox.starts_with(self._owner.PREFIX)
                if starts is None:
                    return
                if not starts:
                    self.abort()
                    return
                self._owner.wants_prefix = False
            for body in self._inbox.bodies():
                self._owner.received(fields_of(body))
                if self.is_closed:
                    return
        except BadFrame as error:
            self._owner.unreadable(str(error))
            self.abort()
            return
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._owner is not None:
            self._owner.lost()

    # for the session

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._transport is None or self._transport.is_closing()

    @property
    def unsent_bytes(self) -> int:
        """What is queued here or waits for the socket to take it; 0 when the link is gone."""
        if self._transport is None or self.is_closed:
            return 0
        pending = sum(map(len, self._pending)) + len(self._trickle)
        return pending + self._transport.get_write_buffer_size()

    def send(self, fields: Sequence[str]) -> None:
        """Queue one message; `flush` sends what is queued in one segment."""
        frame = framed(fields)
        if self._is_cut() and not self.is_closed:
            self._pending.append(frame[: max(1, len(frame) // 2)])
            self._write(self._take_pending())
            self.abort()
            return
        self._pending.append(frame)
        self.messages_sent += 1

    def flush(self) -> None:
        """Send what is queued, now or when the faults say."""
        if not self._pending or self.is_closed:
            return
        if self.faults.hold_writes_s > 0:
            self._flush_later(self.faults.hold_writes_s)
            return
        self._write(self._take_pending())

    def close(self) -> None:
        """Send what is queued and close."""
        if self._transport is not None and not self._transport.is_closing():
            if self._pending:
                self._write(self._take_pending())
            self._transport.close()

    def abort(self) -> None:
        """Gone without a word."""
        if self._transport is not None:
            self._transport.abort()

    def _is_cut(self) -> bool:
        """Whether this message is the one in which the link breaks; uses the fault up."""
        faults = self.faults
        if faults.cut_after_messages > 0:
            faults.cut_after_messages -= 1
            faults.cut_next_message |= faults.cut_after_messages == 0
            return False
        is_cut, faults.cut_next_message = faults.cut_next_message, False
        return is_cut

    def _take_pending(self) -> bytes:
        data = b"".join(self._pending)
        self._pending.clear()
        return data

    def _flush_later(self, delay_s: float) -> None:
        if self._flush_due:
            return
        self._flush_due = True
        asyncio.get_running_loop().call_later(delay_s, self._flush_now)

    def _flush_now(self) -> None:
        self._flush_due = False
        if self._pending and not self.is_closed:
            self._write(self._take_pending())

    def _write(self, data: bytes) -> None:
        if self._transport is None or self.faults.half_open:
            return
        if self.faults.chunk_bytes or self._trickle:
            is_first = not self._trickle
            self._trickle += data
            if is_first:
                self._drip()
            return
        self._put(data)

    def _drip(self) -> None:
        """Write one piece, and the next when the loop comes round."""
        if self.is_closed or not self._trickle:
            return
        size = self.faults.chunk_bytes or len(self._trickle)
        self._put(bytes(self._trickle[:size]))
        del self._trickle[:size]
        if self._trickle:
            asyncio.get_running_loop().call_soon(self._drip)

    def _put(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > UNSENT_BYTES_MAX:
            self.abort()


class LinkOwner(ABC):
    """What a link tells: the session of one client."""

    PREFIX = b"API\0"
    wants_prefix = True

    @abstractmethod
    def received(self, fields: list[str]) -> None:
        """A whole message came."""

    @abstractmethod
    def unreadable(self, reason: str) -> None:
        """The bytes were no message; the link is aborted after this."""

    @abstractmethod
    def lost(self) -> None:
        """The socket is gone."""
