"""The broker session's commands in Redis: a stream that one session reads, and an outcome beside each id."""

import logging
from collections.abc import Mapping, Sequence
from hashlib import sha256
from time import monotonic
from typing import Any

import redis

from adapters.redis import broker_values, keys
from adapters.redis.alert_writer import AlertWriter
from adapters.redis.connection import (
    ANSWER_TIMEOUT_S,
    asked,
    group_exists,
    group_is_missing,
    open_client,
    run_script,
)
from adapters.redis.market_fence import StreamFence
from adapters.redis.outbox import BROKER_TOPIC, IBKR_SHARD, JOURNAL, READ_WAIT_MAX_S
from trading.errors import CommandQueueFullError, InvalidFieldError
from trading.model.broker import BrokerCommand, Outcome
from trading.ports.broker_commands import (
    COMMANDS_WAITING_MAX,
    FENCED_REASON,
    RECEIVE_COMMANDS_MAX,
    CommandQueue,
    CommandResult,
    ReceivedCommand,
)
from trading.ports.live_state import Lease

logger = logging.getLogger(__name__)

STREAM = keys.COMMANDS.at(topic=BROKER_TOPIC, sym=IBKR_SHARD)
FENCING = keys.COMMAND_FENCING.at(topic=BROKER_TOPIC, sym=IBKR_SHARD)
SESSION_GROUP = "session"
SESSION_CONSUMER = "session"  # one session per queue: the broker lets a client id in once
WAITING = b"waiting"
ORDER_REF_DIGITS = 32  # of a hash: an order_ref may be any text, a key may not
LOOK_EVERY_S = 10.0  # for what a session that was followed took in its last moment
ORDER_REF_LIFE_MS = (keys.ORDER_REF.ttl_s or 0) * 1000
OUTCOME_LIFE_MS = (keys.COMMAND_OUTCOME.ttl_s or 0) * 1000


class RedisCommandQueue(CommandQueue):
    """Both sides of the queue; the receiving side is not to be shared between threads."""

    def __init__(self, url: str, *, waiting_max: int = COMMANDS_WAITING_MAX) -> None:
        self._client = open_client(url, READ_WAIT_MAX_S + ANSWER_TIMEOUT_S)
        self._alerts = AlertWriter(self._client, BROKER_TOPIC)
        self._waiting_max = waiting_max
        self._fence = StreamFence(self._client, BROKER_TOPIC)
        self._looked_at = monotonic()
        self._may_hold = True  # what an earlier session left, or an answer that was lost on its way
        self._given: set[bytes] = set()

    def take_over(self, lease: Lease) -> None:
        """Leave the lease's number in the journal of what the session tells; look at what was left."""
        self._fence.raise_to(lease, [IBKR_SHARD])
        self._alerts.fence(lease.fencing)
        self._may_hold = True

    def send(self, command: BrokerCommand) -> CommandResult | None:
        """Queue a command once, unless a higher fencing number of its sender was seen."""
        stale = CommandResult(
            command_id=command.command_id,
            outcome=Outcome.REFUSED,
            at=command.issued_at,
            reason=FENCED_REASON,
        )
        said = run_script(
            self._client,
            "send_command",
            [STREAM, FENCING, self._outcome_key(command.command_id)],
            (
                self._waiting_max,
                command.sender,
                str(command.fencing),
                WAITING,
                OUTCOME_LIFE_MS,
                broker_values.result_text(stale),
                broker_values.command_text(command),
            ),
        )
        if said[0] == b"full":
            raise CommandQueueFullError(
                f"{STREAM}: expected at most {self._waiting_max} waiting commands, was {int(said[1])}"
            )
        return _result(said[1]) if said[0] != b"sent" else None

    def receive(self, commands_max: int, wait_s: float) -> Sequence[ReceivedCommand]:
        """Return what was left unfinished, else what is new."""
        count = min(commands_max, RECEIVE_COMMANDS_MAX)
        told, again = asked(lambda: self._receive(count, wait_s))
        if told:
            self._refuse_if_followed()
        self._given.update(entry_id for entry_id, _ in told)
        received = (self._received(entry_id, fields or {}, again) for entry_id, fields in told)
        return [command for command in received if command is not None]

    def finish(self, received: ReceivedCommand, result: CommandResult) -> None:
        """Keep the result and take the command away; the first result that is no doubt stands."""
        outcome = broker_values.result_text(result)
        kept = run_script(
            self._client,
            "finish_command",
            [STREAM, self._outcome_key(result.command_id), JOURNAL],
            (SESSION_GROUP, received.entry_id, outcome, OUTCOME_LIFE_MS, *self._fence.arguments),
        )
        if kept < 0:
            raise self._fence.refusal(IBKR_SHARD, "newer")
        self._given.discard(received.entry_id.encode())

    def result(self, command_id: str) -> CommandResult | None:
        """Return what became of a command, where that is known."""
        told = asked(lambda: self._client.get(self._outcome_key(command_id)))
        return None if told is None else _result(told)

    def claim_order_ref(self, order_ref: str, command_id: str) -> str:
        """Return the command that has the order_ref; this one where it is the first."""
        digest = sha256(order_ref.encode()).hexdigest()[:ORDER_REF_DIGITS]
        key = keys.ORDER_REF.at(topic=BROKER_TOPIC, sym=IBKR_SHARD, digest=digest)
        told = (command_id, ORDER_REF_LIFE_MS, *self._fence.arguments)
        holder = run_script(self._client, "claim_order_ref", [key, JOURNAL], told)
        if holder is None:
            raise self._fence.refusal(IBKR_SHARD, "newer")
        return str(holder.decode())

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _outcome_key(self, command_id: str) -> str:
        return keys.COMMAND_OUTCOME.at(topic=BROKER_TOPIC, sym=IBKR_SHARD, command_id=command_id)

    def _refuse_if_followed(self) -> None:
        """What one that was followed takes stays given out: its successor looks for it."""
        field, number = self._fence.arguments
        if field:
            seen = asked(lambda: self._client.hget(JOURNAL, field))
            if seen is not None and int(seen) > int(number):
                raise self._fence.refusal(IBKR_SHARD, seen.decode())

    def _receive(self, count: int, wait_s: float) -> tuple[list[Any], bool]:
        now = monotonic()
        if self._may_hold or now - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = now
            given = set(self._given)  # before: what is finished meanwhile is not told again
            held = [told for told in self._read("0", RECEIVE_COMMANDS_MAX, None) if told[0] not in given]
            if held:
                return held[:count], True
        self._may_hold = True  # until the answer is here
        fresh = self._read(">", count, max(1, int(min(wait_s, READ_WAIT_MAX_S) * 1000)))
        self._may_hold = False
        return fresh, False

    def _read(self, after: str, count: int, wait_ms: int | None) -> list[Any]:
        def ask() -> Any:
            return self._client.xreadgroup(
                SESSION_GROUP, SESSION_CONSUMER, {STREAM: after}, count=count, block=wait_ms
            )

        try:
            answer = ask()
        except redis.ResponseError as error:
            if not group_is_missing(error):
                raise
            self._make_group()
            answer = ask()
        return list(answer[0][1]) if answer else []

    def _make_group(self) -> None:
        try:
            self._client.xgroup_create(STREAM, SESSION_GROUP, id="0", mkstream=True)
        except redis.ResponseError as error:
            if not group_exists(error):
                raise

    def _received(
        self, entry_id: bytes, fields: Mapping[bytes, bytes], again: bool
    ) -> ReceivedCommand | None:
        try:
            command = broker_values.command_of(fields[b"command"])
            return ReceivedCommand(entry_id=entry_id.decode(), command=command, again=again)
        except (InvalidFieldError, KeyError) as error:
            text = f"{STREAM} {entry_id.decode()}: {error}"
            self._alerts.tell("command_unreadable", text)
            run_script(self._client, "ack_entries", [STREAM], (SESSION_GROUP, entry_id))
            self._given.discard(entry_id)
            return None


def _result(told: bytes) -> CommandResult | None:
    return None if told == WAITING else broker_values.result_of(told)
