"""Minutes that a writer told: what the process noted itself stands before what it found."""

from adapters.redis.market_minutes import MinutesTold


def due(told: MinutesTold) -> dict[str, list[tuple[int, bytes]]]:
    """What would be written again after a loss."""
    told.lost()
    return {symbol: list(minutes) for symbol, minutes in told.due()}


def test_what_was_there_before_replaces_nothing_that_was_told_since() -> None:
    """A process reads the minutes of the one before it while it writes its own; a repeat is as old."""
    told = MinutesTold()
    told.note("SPY", [(120, b"whole"), (180, b"new")])
    told.know("SPY", [(60, b"before"), (120, b"a part")])
    assert due(told) == {"SPY": [(60, b"before"), (120, b"whole"), (180, b"new")]}


def test_after_a_loss_all_are_due_until_they_are_told() -> None:
    """Once, and nothing where nothing was lost."""
    told = MinutesTold()
    told.note("SPY", [(60, b"a")])
    assert list(told.due()) == []
    assert due(told) == {"SPY": [(60, b"a")]}
    told.told()
    assert list(told.due()) == []
