"""Whatever comes in, nothing raises through and nothing is lost: random damage to good files and messages."""

import json
from collections.abc import Mapping

from flex_documents import (
    CONFIRM,
    CONVERSION,
    EXECUTION,
    POSITION,
    TRADE,
    activity,
    commission,
    document,
    execution,
    export,
    row,
    section,
    statement,
    trade,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.ibkr.executions import parse_executions
from adapters.ibkr.flex import parse_flex
from adapters.ibkr.read_file import read
from adapters.ibkr.refusal import FlexRefusedError

VALUES = st.one_of(
    st.sampled_from(
        ["", "-", "0", "-1", "NaN", "1e308", "1E-400", "٣", "20260230", "20260717;250000", "a.b", "."]
    ),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30),
    st.decimals(allow_nan=True, allow_infinity=True).map(str),
    st.integers().map(str),
)


def damaged(good: Mapping[str, str]) -> st.SearchStrategy[dict[str, str]]:
    """A row of which one to four fields say something else."""
    changes = st.dictionaries(st.sampled_from(sorted(good)), VALUES, min_size=1, max_size=4)
    return changes.map(lambda changed: {**good, **changed})


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(damaged(TRADE), damaged(CONVERSION)), min_size=1, max_size=4))
def test_every_damaged_trade_is_read_refused_or_says_the_same_again(rows: list[dict[str, str]]) -> None:
    """Fills and refused rows make up the rows, but for those of another level of detail."""
    told = parse_flex(activity(*(row("Trade", attributes) for attributes in rows)), "test")
    total = sum(one.batch.total_rows for one in told)
    again = sum(attributes["levelOfDetail"] in ("ORDER", "CLOSED_LOT") for attributes in rows)
    assert total == len(rows) - again
    assert all(refused.reason for one in told for refused in one.batch.rejected)
    assert all(fill.fill_id.strip() for one in told for fill in one.batch.fills)


@settings(max_examples=150, deadline=None)
@given(st.lists(damaged(CONFIRM), min_size=1, max_size=3), st.lists(damaged(POSITION), max_size=3))
def test_every_damaged_row_of_any_section_is_somewhere(
    confirms: list[dict[str, str]], positions: list[dict[str, str]]
) -> None:
    """Confirmations and positions alike."""
    data = document(
        statement(
            section("TradeConfirms", *(row("TradeConfirm", attributes) for attributes in confirms)),
            section("OpenPositions", *(row("OpenPosition", attributes) for attributes in positions)),
        )
    )
    told = parse_flex(data, "test")
    read_rows = sum(len(one.batch.fills) + len(one.batch.rejected) + len(one.positions) for one in told)
    assert read_rows == len(confirms) + len(positions)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_bytes_are_read_or_refused(data: st.DataObject) -> None:
    """A statement cut, torn or overwritten anywhere raises nothing but its refusal."""
    whole = activity(trade(), trade(ibExecID="a.b.01.01"))
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 40)))
    torn = whole[:start] + data.draw(st.binary(max_size=12)) + whole[end:]
    try:
        told = read(torn, "torn")
    except FlexRefusedError as refusal:
        assert refusal.reason
    else:
        assert told.batches


@settings(max_examples=300, deadline=None)
@given(st.lists(damaged(EXECUTION), min_size=1, max_size=4))
def test_every_damaged_execution_is_read_or_refused(messages: list[dict[str, str]]) -> None:
    """Fills, refused rows, combinations and messages that became others make up the lines."""
    kept = [{**message, "msgId": "11"} for message in messages]
    told = parse_executions(export(*(list(message.values()) for message in kept)), "test")
    assert told.total_rows == len(kept)


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["fields", "a"]), inner),
        max_leaves=12,
    )
)
def test_any_json_is_a_message_or_refused(value: object) -> None:
    """A line of any shape beside a good one costs the good one nothing."""
    line = json.dumps(value).encode()
    told = parse_executions(export(execution()) + line + b"\n" + export(commission()), "test")
    assert (len(told.fills), len(told.commissions)) == (1, 1)
