"""Alerts in Redis: the stream and channel that people watch, each code at most once in a while."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from adapters.redis import keys
from adapters.redis.connection import ANSWER_TIMEOUT_S, asked, open_client
from adapters.redis.outbox import alert
from trading.errors import LiveStateUnavailableError
from trading.ports.alerts import READ_MAX, AlertLevel, AlertLog, Alerts, RaisedAlert

logger = logging.getLogger(__name__)

STREAMS = {AlertLevel.CRITICAL: keys.ALERTS_CRITICAL.at(), AlertLevel.EMERGENCY: keys.ALERTS_EMERGENCY.at()}
WAIT_MAX_S = 5.0


class RedisAlerts(Alerts):
    """The port on a real Redis."""

    def __init__(self, url: str) -> None:
        self._client: Any = open_client(url)

    def raise_alert(self, code: str, text: str) -> bool:
        """Write the alert unless the key of its code says that it was written lately."""
        key = keys.ALERT_TOLD.at(code=code)
        try:
            is_new = asked(lambda: self._client.set(key, "1", nx=True, ex=keys.ALERT_TOLD.ttl_s))
        except LiveStateUnavailableError as error:
            logger.error("alert_not_written code=%s text=%s error=%s", code, text, error)
            return False
        return alert(self._client, code, text) if is_new else True


class RedisAlertLog(AlertLog):
    """The reader's side."""

    def __init__(self, url: str) -> None:
        self._client: Any = open_client(url, WAIT_MAX_S + ANSWER_TIMEOUT_S)

    def newest(self, since: datetime | None, most: int) -> Sequence[RaisedAlert]:
        """Read each stream from its end."""
        first = "-" if since is None else str(int(since.timestamp() * 1000))
        count = min(most, READ_MAX)

        def ask() -> list[Any]:
            with self._client.pipeline(transaction=False) as pipe:
                for stream in STREAMS.values():
                    pipe.xrevrange(stream, "+", first, count=count)
                return list(pipe.execute())

        told = zip(STREAMS, asked(ask), strict=True)
        return _in_order(each for level, entries in told for each in _alerts(level, entries))[-count:]

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


def _alerts(level: AlertLevel, entries: Sequence[tuple[bytes, Mapping[bytes, bytes]]]) -> list[RaisedAlert]:
    return [
        RaisedAlert(
            level=level,
            alert_id=entry_id.decode(),
            at=datetime.fromtimestamp(int(entry_id.split(b"-")[0]) / 1000, UTC),
            code=fields.get(b"code", b"").decode("utf-8", "replace"),
            text=fields.get(b"text", b"").decode("utf-8", "replace"),
        )
        for entry_id, fields in entries
    ]


def _in_order(alerts: Iterable[RaisedAlert]) -> list[RaisedAlert]:
    return sorted(alerts, key=lambda each: (*map(int, each.alert_id.split("-")), each.level))
