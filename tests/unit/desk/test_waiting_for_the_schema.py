"""A drain on a fresh home: it waits for the tables, and says that it lives meanwhile."""

import logging
from typing import Any

import pytest

import sql
from adapters.clickhouse.migrator import SchemaGap
from desk.residents import schema
from trading.errors import WarehouseUnavailableError

NAMES = tuple(script.name for script in sql.migrations())


class OneWarehouse:
    """Knows which migrations were applied to it."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names

    def value(self, _asked: str) -> int:
        """The bookkeeping's table is there where something was applied."""
        return int(bool(self.names))

    def rows(self, _asked: str) -> list[dict[str, str]]:
        """The bookkeeping."""
        return [{"name": name, "checksum": ""} for name in self.names]


def test_a_drain_begins_when_nothing_is_missing(monkeypatch: Any) -> None:
    """Down, then without tables, then whole: three looks, two pauses, a heartbeat at each."""
    gap = SchemaGap(missing=("0001_databases",), unknown=(), here="0001_databases", there="empty")
    answers: list[Any] = [WarehouseUnavailableError("down"), gap, None]
    beats, pauses = [], []

    def asked(_: object) -> SchemaGap | None:
        told = answers.pop(0)
        if isinstance(told, Exception):
            raise told
        return told

    monkeypatch.setattr(schema, "schema_gap", asked)
    schema.wait_for_schema(object(), lambda: beats.append(1), lambda: False, pauses.append)  # type: ignore[arg-type]
    assert (len(beats), pauses, answers) == (3, [schema.ASKED_EVERY_S] * 2, [])


@pytest.mark.parametrize(
    ("there", "words"),
    [
        (
            NAMES[:-1],
            f"this code's schema is {NAMES[-1]}, the warehouse's is {NAMES[-2]}: 1 migrations are not",
        ),
        ((), f"this code's schema is {NAMES[-1]}, the warehouse's is empty: {len(NAMES)} migrations are not"),
        (
            (*NAMES, "9999_of_tomorrow"),
            f"this code's schema is {NAMES[-1]}, the warehouse's is 9999_of_tomorrow: a newer version",
        ),
    ],
    ids=["older", "empty", "newer"],
)
def test_a_drain_waits_for_another_schema_and_names_both(
    caplog: pytest.LogCaptureFixture, there: tuple[str, ...], words: str
) -> None:
    """Older or newer than the code: nothing is read from the outbox, and it is said once which is which."""
    warehouse, looks = OneWarehouse(there), []

    def pause(_: float) -> None:
        looks.append(1)
        if len(looks) == 3:
            warehouse.names = NAMES

    with caplog.at_level(logging.WARNING, "desk.residents.schema"):
        schema.wait_for_schema(warehouse, lambda: None, lambda: False, pause)  # type: ignore[arg-type]
    assert len(looks) == 3
    (line,) = caplog.messages
    assert words in line


def test_a_drain_that_is_told_to_stop_does_not_wait(monkeypatch: Any) -> None:
    """The warehouse is not even asked."""
    monkeypatch.setattr(schema, "schema_gap", lambda _: 1 / 0)
    schema.wait_for_schema(object(), lambda: None, lambda: True, lambda _: None)  # type: ignore[arg-type]
