"""Alerts on terminals of 80 and of 200 columns: every word whole, every line within the width."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from desk.alerts_table import print_alerts, state
from trading.model.alerts import CODE_CHARS_MAX, TEXT_CHARS_MAX, AlertKind
from trading.ports.alerts import AlertLevel, RaisedAlert

NOON = datetime(2026, 11, 20, 17, tzinfo=UTC)
OPEN = RaisedAlert(
    level=AlertLevel.CRITICAL,
    alert_id="1-0",
    at=NOON,
    code="feed_stale-ibkr-level1-SPY-20261120T170000",
    text="ibkr level1 stands still (limit 15 s): "
    + ", ".join(f"SYM{number} 60 s old" for number in range(20)),
    component="ingest",
    kind=AlertKind.CONDITION,
)
OVER = replace(
    OPEN,
    alert_id="2-0",
    at=NOON + timedelta(seconds=1),
    code="broker_clock_skew",
    text="the broker's clock is +20.0 s off",
    component="broker",
    resolved_at=NOON + timedelta(hours=1),
    resolved_by="the broker's clock is +0.1 s off",
)
EVENT = replace(OPEN, alert_id="3-0", code="outbox_entries_refused", text="2 entries", kind=AlertKind.EVENT)
LONG = replace(OPEN, alert_id="4-0", code="lock-" + "x" * (CODE_CHARS_MAX - 5), text="y" * TEXT_CHARS_MAX)


def shown(width: int, *alerts: RaisedAlert) -> list[str]:
    """The lines as they are printed."""
    out = io.StringIO()
    print_alerts(Console(file=out, width=width, highlight=False), alerts)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 149, 150, 200])
def test_no_line_is_wider_than_the_terminal_and_no_word_is_lost(width: int) -> None:
    """Codes and words can be read and copied: a code that fits is on one line."""
    lines = shown(width, OPEN, OVER, EVENT, LONG)
    assert max(map(len, lines)) <= width
    for each in (OPEN, OVER, EVENT):
        assert any(each.code in line for line in lines)
        for word in each.text.split(", "):
            assert word.split()[0] in " ".join(lines)
    flat = "".join(lines).replace(" ", "")
    assert flat.count("y") >= TEXT_CHARS_MAX and flat.count("x") >= CODE_CHARS_MAX - 5
    assert "over 2026-11-20 18:00:00" in " ".join(" ".join(lines).split())


def test_on_eighty_columns_each_alert_is_a_block_that_begins_with_its_time_and_state() -> None:
    """The eye runs down the left edge."""
    heads = [line for line in shown(80, OPEN, OVER, EVENT) if not line.startswith(" ")]
    assert heads == [
        "2026-11-20 17:00:00 open ingest",
        "2026-11-20 17:00:01 over broker",
        "2026-11-20 17:00:00 event ingest",
    ]


def test_a_thousand_are_a_line_each_where_there_is_room() -> None:
    """Short words, wide terminal: the table stays a table."""
    many = [replace(EVENT, alert_id=f"{number}-0") for number in range(1_000)]
    assert len(shown(200, *many)) == 1_001


def test_the_state_says_whether_it_has_an_end() -> None:
    """Open or over; an event is neither; an emergency is never only an event."""
    emergency = replace(EVENT, level=AlertLevel.EMERGENCY)
    assert [state(each) for each in (OPEN, OVER, EVENT, emergency)] == ["open", "over", "event", "EMERGENCY"]
