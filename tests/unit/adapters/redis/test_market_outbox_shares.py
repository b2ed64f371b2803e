"""What one read takes of many streams: all that it may, nobody left out for ever, in bounded round trips."""

import random

import pytest

from adapters.redis.market_outbox import BLOCKS_PER_TRIP_MAX, portions_of, shares_of


@pytest.mark.parametrize(
    ("lengths", "count", "shares"),
    [
        ({}, 10, {}),
        ({"a": 5}, 10, {"a": 5}),
        ({"a": 50}, 10, {"a": 10}),
        ({"a": 100, "b": 2}, 10, {"b": 2, "a": 8}),
        ({"a": 100, "b": 100}, 10, {"a": 5, "b": 5}),
        ({"a": 1, "b": 100, "c": 4}, 10, {"a": 1, "c": 4, "b": 5}),
    ],
)
def test_the_shorter_get_all_of_theirs(lengths: dict[str, int], count: int, shares: dict[str, int]) -> None:
    """What they leave goes to the longer ones."""
    assert shares_of(lengths, count) == shares


def test_shares_are_within_bounds_and_leave_nothing_over() -> None:
    """A thousand draws: never more than asked or than there is, and all of it where there is enough."""
    chance = random.Random(2)
    for _ in range(1_000):
        lengths = {f"s{place}": chance.randint(1, 60) for place in range(chance.randint(1, 30))}
        count = chance.randint(1, 400)
        shares = shares_of(lengths, count, chance.randrange(100))
        assert all(0 < share <= lengths[stream] for stream, share in shares.items())
        if count >= len(lengths):
            assert sum(shares.values()) == min(count, sum(lengths.values()))
            assert set(shares) == set(lengths)
        else:
            assert sum(shares.values()) == len(shares) == count


def test_where_there_are_more_streams_than_blocks_each_has_its_turn() -> None:
    """Turn after turn goes through all of them."""
    lengths = dict.fromkeys("abcde", 9)
    assert [list(shares_of(lengths, 2, turn)) for turn in (0, 2, 4, 6)] == [
        ["a", "b"],
        ["c", "d"],
        ["e", "a"],
        ["b", "c"],
    ]


def test_portions_hold_all_shares_and_none_is_too_large() -> None:
    """A stream's share may lie in several; the order stays."""
    shares = {"a": 100, "b": 1, "c": BLOCKS_PER_TRIP_MAX, "d": 3}
    portions = portions_of(shares)
    assert all(0 < sum(portion.values()) <= BLOCKS_PER_TRIP_MAX for portion in portions)
    total: dict[str, int] = {}
    for portion in portions:
        for stream, part in portion.items():
            total[stream] = total.get(stream, 0) + part
    assert total == shares
    assert list(total) == list(shares)
