"""Alerts in Redis: the port of those who raise them, and the view of those who look."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from adapters.redis import keys
from adapters.redis.alert_waiting import SAME_CODE_EVERY_S
from adapters.redis.alert_words import (
    ALERTS_KEPT,
    RESOLVED,
    STREAMS,
    Fields,
    Word,
    at_of,
    kind_of,
    market_at_of,
    printable,
    text_of,
    write_word,
)
from adapters.redis.alert_writer import AlertWriter
from adapters.redis.conditions import open_conditions, read_conditions
from adapters.redis.connection import ANSWER_TIMEOUT_S, asked, open_client
from trading.errors import LiveStateUnavailableError
from trading.model.alerts import AlertKind
from trading.ports.alerts import READ_MAX, AlertLevel, AlertLog, Alerts, RaisedAlert

WAIT_MAX_S = 5.0
LOOKED_AT_ONCE = 500  # conditions of one look; the next one goes on behind them


class RedisAlerts(Alerts):
    """The port on a real Redis; `component` is who raises. May be shared between threads.

    With `awaits_lease` conditions wait in this process until `fence` is told a number.
    """

    def __init__(self, url: str, component: str = "", *, awaits_lease: bool = False) -> None:
        self._client: Any = open_client(url)
        self._component = component
        self._writer = AlertWriter(self._client, component, is_held_back=awaits_lease)
        self._epoch: bytes | None = None
        self._looked_to = 0

    def raise_alert(self, code: str, text: str) -> bool:
        """Write it as its definition says."""
        return self._writer.tell(code, text)

    def end_alert(self, code: str, by: str) -> bool:
        """Write the end of what is open."""
        return self._writer.end(code, by)

    def take_over(self) -> bool:
        """End what another process of this component left open."""
        return self._writer.take_over()

    def fence(self, number: int) -> None:
        """Leave the number beside the conditions."""
        self._writer.fence(number)

    def raise_episode(self, code: str, text: str, market_at: datetime) -> bool:
        """The same, named by its code."""
        return self._writer.tell_episode(code, text, market_at)

    def end_episode(self, code: str, by: str, market_at: datetime) -> bool:
        """Likewise."""
        return self._writer.end_episode(code, by)

    def episodes_left(self) -> Sequence[str] | None:
        """Look through the conditions: an episode is named by its code."""
        try:
            told = open_conditions(self._client)
        except LiveStateUnavailableError:
            return None
        ours = {self._component: True}
        return [code for code, each in told if each.get("id") == code and each.get("holders") == ours]

    def look(self) -> int:
        """A portion of all conditions, so that no round is long."""
        key = keys.ALERTS_CONDITIONS.at()
        if asked(lambda: self._client.type(key)) != b"hash":
            return 0
        answer = asked(lambda: self._client.hscan(key, self._looked_to, count=LOOKED_AT_ONCE))
        self._looked_to = int(answer[0])
        now_ms = int(asked(self._client.time)[0]) * 1000
        due = [code for code, told in read_conditions(answer[1]) if _is_due(told, now_ms)]
        for code in due:
            self._writer.look(code)
        return len(due)

    def tell_again(self) -> int:
        """The newest of them, far fewer than the stream keeps."""
        found = open_alerts(self._client)[-READ_MAX:]
        for each in found:
            write_word(self._client, _word_of(each))
        return len(found)

    def restore(self, alerts: Sequence[RaisedAlert]) -> int:
        """One by one: what is known already stays as it is."""
        for each in alerts:
            self._writer.restore(_word_of(each))
        return len(alerts)

    def has_lost_all(self) -> bool:
        """Compare the mark of this server's data with that of the look before."""
        key, mark = keys.ALERTS_EPOCH.at(), uuid4().hex

        def ask() -> Any:
            if self._client.type(key) not in (b"string", b"none"):
                self._client.delete(key)
            with self._client.pipeline(transaction=True) as pipe:
                pipe.set(key, mark, nx=True)
                pipe.get(key)
                return pipe.execute()[1]

        try:
            told = asked(ask)
        except LiveStateUnavailableError:
            return False  # the next look compares with the same
        before, self._epoch = self._epoch, told
        has_lost = before is not None and before != told
        if has_lost:
            self._writer.forget()
        return has_lost

    def close(self) -> None:
        """Try a last time to write what waits, and give the connections back."""
        self._writer.write_waiting()
        self._client.close()


def _word_of(each: RaisedAlert) -> Word:
    return Word(
        identity=each.identity,
        code=each.code,
        text=each.text,
        component=each.component,
        market_at=each.market_at.isoformat() if each.market_at else "",
        at_ms=int(each.at.timestamp() * 1000),
    )


def open_alerts(client: Any) -> Sequence[RaisedAlert]:
    """Every condition that goes on, oldest first."""
    found = (_open_alert(code, told) for code, told in open_conditions(client))
    return sorted((each for each in found if each), key=lambda each: (each.at, each.code))


def _is_due(told: Mapping[str, Any], now_ms: int) -> bool:
    """Whether a condition may have words to tell, or may be forgotten, as what nobody can read may."""
    raised_ms = told.get("raised_ms", 0)
    if told.get("ends") or not isinstance(raised_ms, int | float):
        return True
    has_words = not told.get("is_told") or told.get("text") != told.get("told_text")
    return now_ms - raised_ms >= SAME_CODE_EVERY_S * 1000 and has_words


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
                pipe.xrange(RESOLVED, first, "+", count=2 * ALERTS_KEPT)
                return list(pipe.execute())

        *told, over = asked(ask)
        ends = {fields.get(b"id", b""): (entry_id, fields) for entry_id, fields in reversed(over)}
        each = (
            alert
            for level, entries in zip(STREAMS, told, strict=True)
            for alert in _alerts(level, entries, ends)
        )
        return _in_order(_each_once(each))[-count:]

    def open(self) -> Sequence[RaisedAlert]:
        """Read the conditions."""
        return open_alerts(self._client)

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
        at=at_of(entry_id, fields),
        code=text_of(fields, b"code"),
        text=text_of(fields, b"text"),
        component=text_of(fields, b"component"),
        market_at=market_at_of(fields),
        resolved_at=at_of(*end) if end else None,
        resolved_by=text_of(end[1], b"text") if end else "",
        kind=kind_of(fields),
        identity=text_of(fields, b"id"),
    )


def _open_alert(code: str, told: Mapping[str, Any]) -> RaisedAlert | None:
    """A condition as it stands; None where a foreign hand wrote what nobody can read."""
    try:
        at = datetime.fromtimestamp(int(told["since_ms"]) / 1000, UTC)
        market_at = datetime.fromisoformat(told["market_at"]) if told.get("market_at") else None
        return RaisedAlert(
            level=AlertLevel.CRITICAL,
            alert_id=f"{int(told['since_ms'])}-0",
            at=at,
            code=printable(code),
            text=printable(str(told["text"])),
            component=printable(str(told["component"])),
            market_at=market_at,
            kind=AlertKind.CONDITION,
            identity=printable(str(told["id"])),
        )
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None


def _each_once(alerts: Iterable[RaisedAlert]) -> Iterable[RaisedAlert]:
    """An alert that was written more than once, as it was told last, since it was told first."""
    first: dict[str, datetime] = {}
    newest: dict[str, RaisedAlert] = {}
    for each in sorted(alerts, key=_place):
        name = each.identity or f"{each.level} {each.alert_id}"
        first.setdefault(name, each.at)
        newest[name] = replace(each, at=first[name])
    return newest.values()


def _in_order(alerts: Iterable[RaisedAlert]) -> list[RaisedAlert]:
    return sorted(alerts, key=_place)


def _place(each: RaisedAlert) -> tuple[int, int, str]:
    milliseconds, _, number = each.alert_id.partition("-")
    return int(milliseconds), int(number), each.level
