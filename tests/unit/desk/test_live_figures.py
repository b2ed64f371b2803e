"""Figures of a live session, from rows as the warehouse gives them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from desk.live_figures import holes_in, latencies_ms, percentile, read_sendings

BEGAN = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
MS = timedelta(milliseconds=1)
BEGAN_NS = int(BEGAN.timestamp()) * 1_000_000_000


def link(state: str) -> dict[str, Any]:
    """The connection came to a state."""
    return {"heard_at": BEGAN, "told": "link", "state": state, "completeness": "", "rows_told": 0}


def answer(completeness: str) -> dict[str, Any]:
    """An answer about executions ended."""
    return {"heard_at": BEGAN, "told": "answer", "state": "", "completeness": completeness, "rows_told": 9}


@pytest.mark.parametrize(
    ("connection", "holes"),
    [
        ([], (0, 0)),
        ([link("connecting"), link("adopting"), answer("complete"), link("ready")], (0, 0)),
        ([link("ready"), link("lost"), link("connecting")], (1, 0)),
        ([link("ready"), link("lost"), link("adopting"), answer("partial"), link("ready")], (1, 0)),
        ([link("ready"), link("lost"), link("adopting"), answer("complete"), link("ready")], (1, 1)),
        ([link("ready"), link("data_degraded"), link("ready")], (0, 0)),
        ([link("ready"), link("stopped"), link("connecting"), link("ready")], (0, 0)),
        ([link("ready"), link("lost"), answer("complete"), link("ready"), link("lost")], (2, 1)),
    ],
)
def test_a_hole_is_closed_by_a_complete_answer_only(
    connection: list[dict[str, Any]], holes: tuple[int, int]
) -> None:
    """Not listening after having listened is a hole; a partial answer closes none."""
    assert holes_in(connection) == holes


def test_a_torn_line_of_the_sendings_is_left_out() -> None:
    """The gateway may be killed in the middle of a line."""
    assert read_sendings("a.01 10\nb.01 20\na.01 30\nc.01") == {"a.01": [10, 30], "b.01": [20]}


def test_latency_counts_from_the_first_sending_to_the_row() -> None:
    """First heard in an answer, before any live sending: no latency. No fill of its own: none to the fill."""
    heard = [
        {"exec_id": "a.01", "heard_at": BEGAN + 3 * MS, "drained_at": BEGAN + 40 * MS, "filled_at": None},
        {"exec_id": "b.01", "heard_at": BEGAN, "drained_at": BEGAN + 40 * MS, "filled_at": None},
        {"exec_id": "c.01", "heard_at": BEGAN, "drained_at": BEGAN, "filled_at": None},
        {"exec_id": "d.01", "heard_at": BEGAN, "drained_at": BEGAN + MS, "filled_at": BEGAN + 9 * MS},
    ]
    sendings = {"a.01": [BEGAN_NS + 10**6, BEGAN_NS], "b.01": [BEGAN_NS + 10**6]}
    assert latencies_ms(sendings, heard) == [40.0]
    sendings["d.01"] = [BEGAN_NS]
    assert latencies_ms(sendings, heard, until="filled_at") == [9.0]


def test_percentiles_of_few_and_of_none() -> None:
    """None of nothing; the largest of few."""
    assert percentile([], 50) is None
    assert percentile([1.0], 99) == 1.0
    assert percentile([float(number) for number in range(100)], 50) == 50.0
