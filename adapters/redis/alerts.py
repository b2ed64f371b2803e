"""Alerts in Redis: the streams and channel that people watch, each code at most once in a while."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from adapters.redis import keys
from adapters.redis.connection import ANSWER_TIMEOUT_S, asked, open_client
from adapters.redis.outbox import ALERTS_KEPT, alert
from trading.errors import LiveStateUnavailableError
from trading.ports.alerts import READ_MAX, AlertLevel, AlertLog, Alerts, RaisedAlert

logger = logging.getLogger(__name__)

STREAMS = {AlertLevel.CRITICAL: keys.ALERTS_CRITICAL.at(), AlertLevel.EMERGENCY: keys.ALERTS_EMERGENCY.at()}
WAIT_MAX_S = 5.0
UNWRITTEN_MAX = 1_000  # codes that are marked as told and were not

Fields = Mapping[bytes, bytes]


class RedisAlerts(Alerts):
    """The port on a real Redis; `component` is who raises."""

    def __init__(self, url: str, component: str = "") -> None:
        self._client: Any = open_client(url)
        self._component = component
        self._unwritten: set[str] = set()
        self._epoch: bytes | None = None

    def raise_alert(self, code: str, text: str) -> bool:
        """Write the alert unless the key of its code says that it was written lately."""
        return self._raise(code, text)

    def raise_episode(self, code: str, text: str, market_at: datetime) -> bool:
        """The same, named by its code."""
        return self._raise(code, text, identity=code, market_at=market_at)

    def end_episode(self, code: str, by: str, market_at: datetime) -> bool:
        """Append to the stream of what is over."""
        said = {"id": code, "code": code, "text": by, "component": self._component}
        said["market_at"] = market_at.isoformat()
        key = keys.ALERTS_RESOLVED.at()
        try:
            asked(lambda: self._client.xadd(key, said, maxlen=ALERTS_KEPT, approximate=True))
        except LiveStateUnavailableError as error:
            logger.error("alert_end_not_written code=%s error=%s", code, error)
            return False
        return True

    def episodes_left(self) -> Sequence[str] | None:
        """Look through both streams: an episode is named by its code."""

        def ask() -> list[Any]:
            with self._client.pipeline(transaction=False) as pipe:
                pipe.xrange(keys.ALERTS_CRITICAL.at(), count=2 * ALERTS_KEPT)
                pipe.xrange(keys.ALERTS_RESOLVED.at(), count=2 * ALERTS_KEPT)
                return list(pipe.execute())

        try:
            told, over = asked(ask)
        except LiveStateUnavailableError:
            return None
        ended = {text_of(fields, b"id") for _, fields in over}
        ours = (fields for _, fields in told if text_of(fields, b"component") == self._component)
        named = (text_of(each, b"id") for each in ours if each.get(b"id") == each.get(b"code"))
        return [code for code in dict.fromkeys(named) if code and code not in ended]

    def has_lost_all(self) -> bool:
        """Compare the mark of this server's data with that of the look before."""
        key, mark = keys.ALERTS_EPOCH.at(), uuid4().hex

        def ask() -> Any:
            with self._client.pipeline(transaction=True) as pipe:
                pipe.set(key, mark, nx=True)
                pipe.get(key)
                return pipe.execute()[1]

        try:
            told = asked(ask)
        except LiveStateUnavailableError:
            return False  # the next look compares with the same
        before, self._epoch = self._epoch, told
        return before is not None and before != told

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _raise(self, code: str, text: str, identity: str = "", market_at: datetime | None = None) -> bool:
        key = keys.ALERT_TOLD.at(code=code)
        try:
            is_new = asked(lambda: self._client.set(key, "1", nx=True, ex=keys.ALERT_TOLD.ttl_s))
        except LiveStateUnavailableError as error:
            logger.error("alert_not_written code=%s text=%s error=%s", code, text, error)
            return False
        if not is_new and code not in self._unwritten:
            return True
        is_written = alert(
            self._client, code, text, component=self._component, identity=identity, market_at=market_at
        )
        self._unwritten.discard(code)
        if not is_written and len(self._unwritten) < UNWRITTEN_MAX:
            self._unwritten.add(code)  # the mark says that it was told, and it was not
        return is_written


class RedisAlertLog(AlertLog):
    """The reader's side."""

    def __init__(self, url: str) -> None:
        self._client: Any = open_client(url, WAIT_MAX_S + ANSWER_TIMEOUT_S)

    def newest(self, since: datetime | None, most: int) -> Sequence[RaisedAlert]:
        """Read each stream from its end, and which of them are over."""
        first = "-" if since is None else str(int(since.timestamp() * 1000))
        count = min(most, READ_MAX)

        def ask() -> list[Any]:
            with self._client.pipeline(transaction=False) as pipe:
                for stream in STREAMS.values():
                    pipe.xrevrange(stream, "+", first, count=count)
                pipe.xrange(keys.ALERTS_RESOLVED.at(), first, "+", count=ALERTS_KEPT)
                return list(pipe.execute())

        *told, over = asked(ask)
        ends = {fields.get(b"id", b""): (entry_id, fields) for entry_id, fields in reversed(over)}
        each = (
            alert
            for level, entries in zip(STREAMS, told, strict=True)
            for alert in _alerts(level, entries, ends)
        )
        return _in_order(each)[-count:]

    def after(self, known: Sequence[RaisedAlert], wait_s: float) -> Sequence[RaisedAlert]:
        """Wait on both streams at once."""
        last = dict.fromkeys(STREAMS, "0-0") | {each.level: each.alert_id for each in _in_order(known)}
        places = {STREAMS[level]: alert_id for level, alert_id in last.items()}
        wait_ms = int(min(wait_s, WAIT_MAX_S) * 1000)
        answer = asked(lambda: self._client.xread(places, count=READ_MAX, block=max(1, wait_ms)))
        levels = {stream.encode(): level for level, stream in STREAMS.items()}
        told = ((levels[stream], entries) for stream, entries in answer or ())
        return _in_order(each for level, entries in told for each in _alerts(level, entries))

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()


def at_of(entry_id: bytes) -> datetime:
    """When an entry was written, by the server's clock."""
    return datetime.fromtimestamp(int(entry_id.split(b"-")[0]) / 1000, UTC)


def text_of(fields: Fields, name: bytes) -> str:
    """A field as text; what no program of ours wrote is shown all the same."""
    return fields.get(name, b"").decode("utf-8", "replace")


def market_at_of(fields: Fields) -> datetime | None:
    """The market's time, where it was told."""
    try:
        told = datetime.fromisoformat(text_of(fields, b"market_at"))
    except ValueError:
        return None
    return told if told.tzinfo else None


def _alerts(
    level: AlertLevel,
    entries: Sequence[tuple[bytes, Fields]],
    ends: Mapping[bytes, tuple[bytes, Fields]] | None = None,
) -> list[RaisedAlert]:
    return [_alert(level, entry_id, fields, ends or {}) for entry_id, fields in entries]


def _alert(
    level: AlertLevel, entry_id: bytes, fields: Fields, ends: Mapping[bytes, tuple[bytes, Fields]]
) -> RaisedAlert:
    end = ends.get(fields[b"id"]) if b"id" in fields else None
    return RaisedAlert(
        level=level,
        alert_id=entry_id.decode(),
        at=at_of(entry_id),
        code=text_of(fields, b"code"),
        text=text_of(fields, b"text"),
        component=text_of(fields, b"component"),
        market_at=market_at_of(fields),
        resolved_at=at_of(end[0]) if end else None,
        resolved_by=text_of(end[1], b"text") if end else "",
    )


def _in_order(alerts: Iterable[RaisedAlert]) -> list[RaisedAlert]:
    return sorted(alerts, key=lambda each: (*map(int, each.alert_id.split("-")), each.level))
