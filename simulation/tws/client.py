"""One connected client: handshake, start, then requests; what it subscribed to and may still send.

A client that sends nonsense is answered as a real gateway would and never takes anybody else down: what
cannot be read is error 320, what cannot be done 321 or 322.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from simulation.tws import replies, versions
from simulation.tws.fields import MalformedRequest, RefusedRequest
from simulation.tws.link import Link, LinkOwner
from simulation.tws.notices import text_of
from simulation.tws.pacing import VIOLATIONS_MAX, HistoryPacing, MessageRate
from simulation.tws.replies import session as say
from simulation.tws.requests import UnknownRequest, read_request, request_id_of
from simulation.tws.requests.session import StartApi
from simulation.tws.spoiling import spoiled
from simulation.tws.subscriptions import Subscriptions

if TYPE_CHECKING:
    from simulation.tws.state import GatewayState

LOGGER = logging.getLogger(__name__)
LIVE_DATA = 1
Handle = Callable[["GatewayState", "Client", object], None]


class Client(LinkOwner):
    """A client's session. `client_id` is None until it has said who it is."""

    def __init__(self, link: Link, state: "GatewayState", handle: Handle) -> None:
        self.link = link
        self.version = 0
        self.client_id: int | None = None
        self.data_type = LIVE_DATA
        self.opened_at_s = asyncio.get_running_loop().time()
        self.subscriptions = Subscriptions()
        self.history_pacing = HistoryPacing()
        self.rate = MessageRate(state.options.messages_per_second)
        self._state = state
        self._handle = handle

    @property
    def is_started(self) -> bool:
        """Whether the client may ask and be told."""
        return self.client_id is not None

    # telling

    def send(self, message: replies.Message) -> None:
        """Queue one message."""
        if self.link.is_closed:
            return
        faults = self._state.faults
        if faults.price_text or faults.greeks_text:
            message = spoiled(message, faults)
        self.link.send(message)

    def error(self, request_id: int, code: int, text: str | None = None, reject_json: str = "") -> None:
        """Queue an error or notice; the text is the code's own unless one is given."""
        self.send(
            say.error(self.version, request_id, code, text_of(code) if text is None else text, reject_json)
        )

    def may_subscribe(self, kind: str, request_id: int) -> bool:
        """Whether a subscription may be added; when not, that has been said (322)."""
        reason = self.subscriptions.refuses(kind, request_id)
        if reason:
            self.error(request_id, 322, text_of(322, request=kind, reason=reason))
        return not reason

    # LinkOwner

    def received(self, fields: list[str]) -> None:
        if not self.version:
            self._handshake(fields)
            return
        if self._is_too_fast():
            return
        try:
            self._answer(read_request(fields, self.version))
        except RefusedRequest as error:
            self.error(request_id_of(fields), error.code, error.words)
        except (MalformedRequest, UnknownRequest) as error:
            self.error(request_id_of(fields), 320, text_of(320, reason=error))
        except Exception as error:
            LOGGER.exception("request %s failed", fields[:1])
            self.error(
                request_id_of(fields), 322, text_of(322, request=fields[0], reason=type(error).__name__)
            )

    def unreadable(self, reason: str) -> None:
        LOGGER.warning("client %s: %s", self.client_id, reason)

    def lost(self) -> None:
        self._state.clients.forget(self)

    # steps

    def _handshake(self, fields: list[str]) -> None:
        try:
            self.version = versions.negotiated(fields[0], self._state.options.server_version)
        except versions.NoCommonVersion as error:
            self.send(say.error(versions.OLDEST, say.NO_REQUEST, 503, f"The TWS is out of date: {error}"))
            self.link.close()
            return
        self.send(say.handshake(self.version, self._state.connection_time()))

    def _is_too_fast(self) -> bool:
        now_s = asyncio.get_running_loop().time()
        counted = self.rate.count(now_s, self._state.attention.waited_since(now_s))
        if not counted:
            return False
        text = text_of(100, limit=self.rate.limit, count=counted, violation=self.rate.violations)
        self.error(say.NO_REQUEST, 100, text)
        if self.rate.violations >= VIOLATIONS_MAX:
            self.link.close()
        return True

    def _answer(self, request: object) -> None:
        if isinstance(request, StartApi):
            self._start(request.client_id)
        elif self.is_started:
            self._handle(self._state, self, request)
            self._state.begin(self)

    def _start(self, client_id: int) -> None:
        if self.is_started:
            return
        if not self._state.clients.admit(client_id, self):
            self.error(say.NO_REQUEST, 326)
            self.link.close()
            return
        self.client_id = client_id
        self._state.greet(self)
