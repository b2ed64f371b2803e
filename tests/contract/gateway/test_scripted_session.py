"""One scripted session against the real simulated broker: what the library tells of it, and that it repeats.

The log of the other library is compared by soak_second_library.py.
"""

import asyncio
from functools import cache

from gateway_client import run
from scripted_session import played


@cache
def log_at(server_version: int) -> tuple[str, ...]:
    """The event log at one server version."""
    return tuple(asyncio.run(played(server_version)))


def words_of(kind: str) -> list[list[str]]:
    """The lines of one kind, split into words, without the time."""
    lines = [line.split()[1:] for line in log_at(176)]
    return [words[1:] for words in lines if words[0] == kind]


def test_the_event_log_is_the_same_at_the_oldest_and_the_newest_version() -> None:
    """Two runs of one seed tell the same, line for line, whatever version is spoken."""
    newest, oldest = log_at(176), log_at(165)
    assert newest[1:] == oldest[1:]
    assert (newest[0].split()[-1], oldest[0].split()[-1]) == ("176", "165")
    assert len(newest) > 60


def test_every_fill_heard_is_held_after_the_reconnect_and_so_is_the_one_nobody_heard() -> None:
    """The replay brings all revisions; the order that filled while the link was cut is among them."""
    heard = {words[0] for words in words_of("fill")}
    held = {words[0] for words in words_of("held")}
    unheard = {words[0] for words in words_of("held") if "unheard" in words}
    assert len(unheard) == 1
    assert held == heard | unheard


def test_partial_fills_come_from_several_exchanges_and_add_up() -> None:
    """The large order fills in pieces; the last revisions sum to what the position says."""
    last = {words[0].rpartition(".")[0]: float(words[2]) for words in words_of("held")}
    ((*_, position, _),) = words_of("position")
    assert sum(last.values()) == float(position)
    exchanges = {words[4] for words in words_of("fill") if "large" in words}
    assert len(exchanges) > 3


def test_the_bracket_stands_after_its_entry() -> None:
    """The target works, the stop is held by its trigger; both are there after the reconnect."""
    statuses = {tuple(words[:2]) for words in words_of("status")}
    assert {("entry", "Filled"), ("target", "Submitted"), ("stop", "PreSubmitted")} <= statuses
    assert [words[:2] for words in words_of("open")] == [["stop", "PreSubmitted"], ["target", "Submitted"]]


def test_every_live_execution_gets_its_commission() -> None:
    """One report for each execution that was heard live, the correction's among them."""
    reported = [words[0] for words in words_of("commission")]
    assert sorted(reported) == sorted(words[0] for words in words_of("fill"))


def test_a_session_ends_without_a_task_left_behind() -> None:
    """The gateway stops cleanly when its clients are still connected."""

    async def scenario() -> None:
        before = len(asyncio.all_tasks())
        await played()
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == before

    run(scenario())
