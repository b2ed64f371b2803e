"""Whatever a gateway tells goes through the real decoder to rows or to the dead letter: nothing raises."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from market_wire import TEN, MarketWire

from adapters.clickhouse.market_rows import Origin, fitting, told_rows
from adapters.redis.market_values import block_of, block_text
from trading.model.market import MarketKind
from trading.ports.market_state import check_update

T = int(TEN.timestamp())
ABSURD = (
    *[
        "",
        "abc",
        "nan",
        "inf",
        "-inf",
        "1e308",
        "1.7976931348623157e308",
        "1e400",
        "5e-324",
        "0.1234567891234",
        "-1",
        "-0.0",
        "0",
        "1e9",
        "1e10",
    ],
    *["1e23", "2147483647", "9223372036854775807", "-9223372036854775808", "253402300800", "99999999999999"],
    *("9" * 5_000, "\x00", "\ud800", " 5", "1;2", "20261123", "1_0"),
)
NUMBER = "the line's number"
MESSAGES: tuple[list[str], ...] = (
    ["1", "6", NUMBER, "1", "110.2", "300", "1"],
    ["1", "6", NUMBER, "9", "109", "0", "1"],
    ["2", "6", NUMBER, "0", "300"],
    ["2", "6", NUMBER, "27", "1000"],
    ["45", "6", NUMBER, "49", "0"],
    ["46", "6", NUMBER, "48", f"110.05;100;{T}000;100000;110.0;true"],
    ["21", NUMBER, "13", "0", "0.2", "0.5", "3.2", "0", "0.01", "0.1", "-0.05", "110"],
    ["12", "1", NUMBER, "0", "0", "1", "110.0", "100"],
    ["13", "1", NUMBER, "0", "ARCA", "0", "0", "110.1", "100", "1"],
    ["50", "1", NUMBER, str(T + 60), "110", "111", "109", "110.5", "1000", "110.2", "7"],
    ["57", "1", NUMBER],
    ["58", "1", NUMBER, "1"],
    ["81", NUMBER, "0.01", "BBO", "3"],
    ["99", NUMBER, "1", str(T), "110.1", "100", "0", "ARCA", "cond"],
    ["99", NUMBER, "3", str(T), "110", "110.1", "100", "200", "0"],
    ["49", "1", str(T)],
    ["4", "2", NUMBER, "317", "reset", ""],
    ["9", "1", "5000"],
    ["52", "1", NUMBER],
    ["75", NUMBER, "SMART", "1", "SPY", "100", "2", "20261123", "20261127", "2", "100", "105"],
    ["76", NUMBER],
)


@st.composite
def messages(draw: st.DrawFn) -> list[str]:
    """One message, whole or with fields replaced, dropped or doubled; of a line or of nobody's."""
    told = list(draw(st.sampled_from(MESSAGES)))
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(1, len(told) - 1)) if len(told) > 1 else 0
        how = draw(st.sampled_from(["replace", "replace", "drop", "double", "cut"]))
        if how == "replace":
            told[place] = draw(st.sampled_from(ABSURD))
        elif how == "cut":
            told = told[:place]
        else:
            told[place : place + 1] = [] if how == "drop" else [told[place]] * 2
    return told


def numbered(message: list[str], wire: MarketWire, place: int) -> list[str]:
    """Name one of the open lines, or a number that nobody asked for."""
    known = [*wire.lines(), 0, -1, 987_654]
    return [str(known[place % len(known)]) if field is NUMBER else field for field in message]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(messages(), st.integers(0, 10_000)), min_size=5, max_size=60), st.integers(0, 3))
def test_any_messages_are_rows_that_can_be_stored(told: list[tuple[list[str], int]], pause: int) -> None:
    """Every block can be written, read back, and stored whole; what cannot is refused with what it was."""
    wire = MarketWire()
    for message, place in told:
        wire.hear(numbered(message, wire, place), seconds=pause / 4)
    wire.hear(seconds=15)
    assert abs(wire.session.market_time() - wire.clock.at) < timedelta(minutes=1)  # type: ignore[operator]
    for update in wire.updates:
        check_update(update)
        for block in update.blocks:
            assert block_of(block_text(block)) == block
            if block.kind is not MarketKind.REFUSED:
                origin = Origin(source=block.source, heard_at=block.heard_at)
                assert fitting(told_rows(block.kind, [(origin, block.rows)]))[1] == []
