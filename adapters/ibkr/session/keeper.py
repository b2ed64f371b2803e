"""The keeper of the link: its state, when it is tried again, whether it is still alive.

Belongs here: what a signal does to the connection. Keep out: the table itself (`link_state`), what is asked
on a new connection and what a lost one does to questions and orders (handed in as `Session`).

A link is silent when nobody answered for `silence_after_s` after the time was asked. What the time is counted
from matters on a machine that stood still (a sleep, a pause, a starved process): it is the question, not the
last word heard, or a link that nobody could answer on would be left the moment the machine is back.
"""

import random
from datetime import datetime, timedelta
from typing import Protocol

from adapters.ibkr.session.codes import Reaction
from adapters.ibkr.session.context import Context
from adapters.ibkr.session.events import link_event
from adapters.ibkr.session.link_state import Effect, Signal, after
from adapters.ibkr.session.outputs import LinkAction
from trading.model.broker import LinkState

NOT_FARMS = frozenset({"2110", "10197"})  # the gateway's server, another session: over when any farm is up
ATTEMPT_MAX = timedelta(seconds=3)  # per second of the connect time-out, which the attempt minds itself
JITTER_LEAST = 0.5  # a pause is between this part of itself and all of it
DOUBLINGS_MAX = 16


class Session(Protocol):
    """What hangs on the link."""

    def walk(self) -> None:
        """Ask for everything that the broker still tells."""

    def break_off(self, reason: str, *, may_come_late: bool) -> None:
        """End every open question; what was sent without an answer is in doubt."""

    def ask_time(self) -> None:
        """Ask for the time, to see whether anybody answers."""


class Keeper:
    """The connection's state and its clocks."""

    def __init__(self, context: Context, chance: random.Random, session: Session) -> None:
        self._context = context
        self._chance = chance
        self._session = session
        self._farms_down: set[str] = set()
        self._attempts = 0
        self._is_full = False  # what is heard cannot be kept
        self._retry_at: datetime | None = None
        self._give_up_at: datetime | None = None  # the attempt that is under way
        self._heard_at: datetime | None = None  # None while there is no connection
        self._probed_at: datetime | None = None  # silent, and the time was asked

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection to send on."""
        return self._heard_at is not None

    def signal(self, signal: Signal, text: str, code: int | None = None) -> None:
        """Let something happen to the link."""
        context = self._context
        before = context.state
        context.state, effect = after(before, signal)
        if context.state is not before or code is not None:
            self._tell(code, text)
        if effect in (Effect.RECONNECT_LATER, Effect.RECONNECT_LAST, Effect.HANG_UP):
            self._hang_up(text)
        if effect is Effect.CONNECT:
            self._attempts += 1
            self._give_up_at = context.now() + ATTEMPT_MAX * context.settings.connect_timeout_s
            context.outputs.link.append(LinkAction.CONNECT)
        elif effect is Effect.RECONNECT_LATER:
            self._retry_at = self._retry_at or context.now() + self._pause()
        elif effect is Effect.RECONNECT_LAST:
            self._retry_at = context.now() + timedelta(seconds=context.settings.reconnect_max_s)
        elif effect is Effect.FAIL_QUESTIONS:
            self._session.break_off(text, may_come_late=True)
        elif effect is Effect.ADOPT:
            self._session.walk()

    def said(self, reaction: Reaction, code: int, text: str) -> None:
        """The gateway said something about the link; farms count one by one."""
        farm = str(code) if str(code) in NOT_FARMS else _farm(text)
        if reaction.signal is Signal.FARM_DOWN:
            self._farms_down.add(farm)
        elif reaction.signal is Signal.FARM_UP:
            self._farms_down -= {farm, *NOT_FARMS}
        is_still_down = reaction.signal is Signal.FARM_UP and self._farms_down
        if reaction.signal is None or is_still_down:
            self._tell(code, text)
        else:
            self.signal(reaction.signal, text, code)

    def connected(self, text: str) -> None:
        """The handshake is over."""
        self._heard_at, self._probed_at = self._context.now(), None
        self.signal(Signal.API_READY, text)

    def heard(self) -> bool:
        """Bytes came: the link lives. Returns whether it had been silent for so long that it was asked."""
        was_silent = self._probed_at is not None
        if self._heard_at is not None:
            self._heard_at, self._probed_at = self._context.now(), None
        return was_silent

    def walked(self, text: str) -> None:
        """Everything was asked and answered in some way."""
        self._attempts = 0
        self.signal(Signal.ADOPTED, text)
        if self._farms_down:
            self.signal(Signal.FARM_DOWN, f"down: {', '.join(sorted(self._farms_down))}")

    def full(self, reason: str) -> None:
        """What is heard cannot be kept: hang up, and stay away."""
        self._is_full = True
        self.signal(Signal.FULL, reason)

    def has_room(self) -> None:
        """What is heard can be kept again."""
        self._is_full = False

    def tick(self, now: datetime) -> None:
        """Try again when it is time; mind a silence."""
        if self._retry_at is not None and self._retry_at <= now and not self._is_full:
            self._retry_at = None
            self.signal(Signal.RETRY, "trying again")
        if self._is_stuck(now):
            self.signal(Signal.CLOSED, "no word from the attempt to connect")
        if self._heard_at is None or now < self._silent_at(self._heard_at):
            return
        if self._probed_at is not None:
            self.signal(Signal.SILENT, f"nothing heard for {(now - self._heard_at).total_seconds():.0f} s")
        else:
            self._probed_at = now
            self._session.ask_time()

    def next_due(self) -> datetime | None:
        """When time must pass for the link."""
        retry_at = None if self._is_full else self._retry_at
        silent_at = None if self._heard_at is None else self._silent_at(self._heard_at)
        give_up_at = self._give_up_at if self._context.state is LinkState.CONNECTING else None
        moments = (retry_at, silent_at, give_up_at)
        return min((moment for moment in moments if moment is not None), default=None)

    def _is_stuck(self, now: datetime) -> bool:
        """Whether an attempt has neither come about nor failed in three times the time it has."""
        is_over = self._give_up_at is not None and self._give_up_at <= now
        return is_over and self._context.state is LinkState.CONNECTING

    def _hang_up(self, reason: str) -> None:
        self._heard_at = None
        self._farms_down.clear()
        self._session.break_off(reason, may_come_late=False)
        self._context.forget_connection()
        self._context.outputs.link.append(LinkAction.HANG_UP)

    def _tell(self, code: int | None, text: str) -> None:
        context = self._context
        context.tell(link_event(context.state, code, text, context.settings.client_id, context.now()))

    def _pause(self) -> timedelta:
        settings = self._context.settings
        longest = settings.reconnect_first_s * 2 ** min(max(self._attempts - 1, 0), DOUBLINGS_MAX)
        capped = min(longest, settings.reconnect_max_s)
        return timedelta(seconds=capped * self._chance.uniform(JITTER_LEAST, 1.0))

    def _silent_at(self, heard_at: datetime) -> datetime:
        """When silence must be minded next: to ask the time, and once it was asked, to hang up."""
        return (self._probed_at or heard_at) + timedelta(seconds=self._context.settings.silence_after_s)


def _farm(text: str) -> str:
    """The farm of ``… connection is OK:usfarm.nj`` and of ``… upon demand.ushmds``."""
    return (text.rpartition(":") if ":" in text else text.rpartition("demand."))[2].strip()
