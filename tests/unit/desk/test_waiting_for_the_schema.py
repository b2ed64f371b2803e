"""A drain on a fresh home: it waits for the tables, and says that it lives meanwhile."""

from typing import Any

from desk.residents import schema
from trading.errors import WarehouseUnavailableError


def test_a_drain_begins_when_nothing_is_missing(monkeypatch: Any) -> None:
    """Down, then without tables, then whole: three looks, two pauses, a heartbeat at each."""
    answers: list[Any] = [WarehouseUnavailableError("down"), ("0001_databases",), ()]
    beats, pauses = [], []

    def pending(_: object) -> tuple[str, ...]:
        told = answers.pop(0)
        if isinstance(told, Exception):
            raise told
        return tuple(told)

    monkeypatch.setattr(schema, "pending", pending)
    schema.wait_for_schema(object(), lambda: beats.append(1), lambda: False, pauses.append)  # type: ignore[arg-type]
    assert (len(beats), pauses, answers) == (3, [schema.ASKED_EVERY_S] * 2, [])


def test_a_drain_that_is_told_to_stop_does_not_wait(monkeypatch: Any) -> None:
    """The warehouse is not even asked."""
    monkeypatch.setattr(schema, "pending", lambda _: 1 / 0)
    schema.wait_for_schema(object(), lambda: None, lambda: True, lambda _: None)  # type: ignore[arg-type]
