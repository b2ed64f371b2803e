"""`desk feeds` and `desk alerts` on a real Redis: worst first, over a pipe, as JSON, live in a terminal."""

import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from desk_command import DESK, READY_S, desk_json, environment, run_desk
from real_redis import RunningRedis, start_redis
from rich.console import Console

from adapters.configuration import load_settings
from adapters.ibkr.market.budget import budget_of
from adapters.redis.alerts import RedisAlertLog, RedisAlerts
from adapters.redis.feed_board import RedisFeedBoard
from adapters.redis.live_state import RedisLiveState
from adapters.redis.vendor import RedisVendorMonitor
from desk.commands.alerts import moment_of
from desk.feeds_table import FeedsTable, age_text
from desk.feeds_view import FeedsView, LinesInUse, lines_in_use, worst_first
from trading.errors import InvalidFieldError
from trading.ports.alerts import AlertLevel
from trading.ports.feed_health import FeedHealth, FeedState
from trading.ports.outbox import OutboxBacklog

NOW = datetime(2026, 11, 20, 17, tzinfo=UTC)


def feed(
    symbol: str, state: FeedState, age_s: float | None = 1.0, limit_s: float | None = 15.0
) -> FeedHealth:
    """One feed of quotes."""
    return FeedHealth(
        feed="level1", symbol=symbol, source="ibkr", state=state, said_at=NOW, age_s=age_s, limit_s=limit_s,
        rows=10, rows_per_s=2.5,
    )  # fmt: skip


FEEDS = [
    feed("RUNS", FeedState.RUNNING),
    feed("NEAR", FeedState.RUNNING, 14.0),
    feed("IDLE", FeedState.IDLE, 9_000.0),
    feed("OLD", FeedState.STALE, 21.0),
    feed("OLDER", FeedState.STALE, 60.0),
    feed("BROKEN", FeedState.BROKEN),
    feed("NEW", FeedState.STARTING, None),
]
WORST_FIRST = ["BROKEN", "OLDER", "OLD", "NEW", "NEAR", "RUNS", "IDLE"]


def view(feeds: list[FeedHealth], **beats: float | None) -> FeedsView:
    """A look at these feeds."""
    waits = OutboxBacklog(entries=3, given=1, oldest_at=NOW - timedelta(seconds=70))
    lines = (LinesInUse(kind="depth", wanted=3, allowed=3, without=("AAPL depth",)),)
    plan = {
        "requests_minute": "43",
        "limit_minute": "75",
        "requests_day": "900",
        "breakers_open": "2",
        "held": "",
    }
    return FeedsView(
        at=NOW,
        feeds=worst_first(feeds),
        outboxes={"market": waits},
        beats=beats,
        lines=lines,
        plans={"alpha_vantage": plan},
    )


def printed(seen: FeedsView, *, is_cut: bool, height: int = 30, trouble: str = "", width: int = 160) -> str:
    """What a terminal of that height shows."""
    out = StringIO()
    Console(file=out, width=width, height=height).print(FeedsTable(seen, is_cut=is_cut, trouble=trouble))
    return out.getvalue()


def test_the_worst_stands_first() -> None:
    """Broken, then the longest over its limit, then what has begun, what is near its limit, what is idle."""
    assert [each.symbol for each in worst_first(FEEDS)] == WORST_FIRST
    assert [each.symbol for each in worst_first(FEEDS[::-1])] == WORST_FIRST


def test_the_table_says_who_lives_what_waits_and_which_lines() -> None:
    """Below the feeds stand the residents, the outboxes and the broker's lines."""
    text = printed(view(FEEDS, ingest=2.0, vendors=None), is_cut=False, trouble="no answer")
    assert "1 broken, 2 stale, 1 starting, 2 running, 1 idle" in text
    assert "ingest 2s ago" in text
    assert "vendors does not say that it lives" in text
    assert "market 3 waiting, 1 given out, oldest 1m10s" in text
    assert "depth 3 of 3" in text
    assert "alpha_vantage: 43 of 75 requests this minute, 900 this day, 2 breakers open\n" in text
    assert "No line for: AAPL depth" in text
    assert "no answer" in text


def test_a_long_table_is_cut_to_the_terminal() -> None:
    """A hundred symbols fill no more than the screen, the worst of them are seen, and the rest is counted."""
    many = [feed(f"S{number:03}", FeedState.RUNNING) for number in range(100)] + FEEDS
    text = printed(view(many), is_cut=True, height=40)
    assert len(text.splitlines()) <= 40
    assert "BROKEN" in text
    assert "more" in text
    assert len(printed(view(many), is_cut=False).splitlines()) > 100


def test_a_narrow_terminal_loses_the_counters_and_no_line_wraps() -> None:
    """Eighty columns show state, names, age, limit, rate and the reason, one line a feed."""
    text = printed(view(FEEDS), is_cut=True, width=80)
    assert "reconnects" not in text and "rows/s" in text
    rows = [line for line in text.splitlines() if line.startswith("│")]
    assert len(rows) == len(FEEDS)
    assert all(len(line) <= 80 for line in text.splitlines())


@pytest.mark.parametrize("width", [80, 120, 200])
def test_long_words_of_a_feed_leave_its_state_and_names_whole(width: int) -> None:
    """What a vendor says when it refuses is cut, never the columns that say which feed it is about."""
    refused = replace(
        feed("MSFT", FeedState.BROKEN), feed="technicals", source="alpha_vantage", text="no " * 99
    )
    text = printed(view([refused, *FEEDS]), is_cut=True, width=width)
    (row,) = (line for line in text.splitlines() if "MSFT" in line)
    assert [cell.strip() for cell in row.split("│")[1:5]] == ["broken", "alpha_vantage", "technicals", "MSFT"]
    assert "…" in row and len(row) <= width


def test_faults_are_feeds_and_residents() -> None:
    """What stands still, is broken or does not live is a finding; what is idle or starts is none."""
    assert view(FEEDS).has_faults
    assert view([], drain=None).has_faults
    assert not view([feed("A", FeedState.IDLE), feed("B", FeedState.STARTING, None)], drain=1.0).has_faults


def test_the_budget_of_lines_is_that_of_the_plan() -> None:
    """What the plan takes and what is left to chains make the login's lines; what has none is named."""
    settings = load_settings({})
    used = {each.kind: each for each in lines_in_use(budget_of(settings.market, settings.ingest), settings)}
    assert used["market data"].wanted + used["left to chains"].wanted == settings.ingest.market_data_lines
    assert used["depth"].wanted == 3
    assert used["tick by tick"].wanted == 3


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (0, "0s"), (0.44, "0.4s"), (59, "59s"), (60, "1m00s"), (3_599, "59m59s"), (3_600, "1h00m"),
     (86_399, "23h59m"), (90_000, "1d01h")],
)  # fmt: skip
def test_ages_are_read_at_one_look(seconds: float | None, text: str) -> None:
    """Two units at most."""
    assert age_text(seconds) == text


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRedis]:
    """A server with these feeds on its board and two alerts."""
    server = start_redis(tmp_path_factory.mktemp("redis"))
    RedisFeedBoard(server.url, life_s=600).say(FEEDS)
    RedisVendorMonitor(server.url).tell("alpha_vantage", {"limit_minute": "75", "requests_minute": "9"})
    RedisLiveState(server.url).beat("ingest", datetime.now(UTC), 600)
    alerts = RedisAlerts(server.url)
    assert alerts.raise_alert("feed_stale-one", "level1 stands still")
    assert alerts.raise_alert("feed_stale-one", "is not told twice")
    assert alerts.raise_alert("feed_stale-two", "another")
    yield server
    server.kill()


def test_over_a_pipe_it_is_shown_once_and_stale_feeds_are_findings(
    tmp_path: Path, redis: RunningRedis
) -> None:
    """Without a terminal `desk feeds` prints every feed and ends with code 1."""
    text = run_desk(tmp_path, "feeds", code=1, REDIS_URL=redis.url)
    places = [text.index(f" {symbol} ") for symbol in WORST_FIRST]
    assert places == sorted(places)
    assert "\x1b" not in text


def test_scripts_read_one_document(tmp_path: Path, redis: RunningRedis) -> None:
    """--json has every feed with its figures, the outboxes, the residents and the lines."""
    told = desk_json(tmp_path, "feeds", code=1, REDIS_URL=redis.url)
    assert [each["symbol"] for each in told["feeds"]] == WORST_FIRST
    assert told["states"]["stale"] == 2
    assert told["feeds"][1] | {"said_at": ""} == {
        "feed": "level1", "symbol": "OLDER", "source": "ibkr", "state": "stale", "said_at": "",
        "newest_at": None, "age_s": 60.0, "rows": 10, "rows_per_s": 2.5, "refused": 0, "errors": 0,
        "reconnects": 0, "limit_s": 15.0, "text": "", "is_silent": False, "asked_at": None,
    }  # fmt: skip
    assert told["outboxes"]["market"]["entries"] == 0
    assert "ingest" in told["residents"]
    assert told["plans"] == {"alpha_vantage": {"limit_minute": "75", "requests_minute": "9"}}


def test_without_redis_it_is_one_sentence(tmp_path: Path) -> None:
    """No board is code 2 and the reason, never an empty table that says all is well."""
    process = subprocess.run(
        [str(DESK), "feeds", "--once"],
        env=environment(tmp_path, REDIS_URL="redis://127.0.0.1:1/0"),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert process.returncode == 2
    assert "live state cannot answer now" in process.stderr
    assert process.stdout == ""


def test_in_a_terminal_it_lives_until_ctrl_c(tmp_path: Path, redis: RunningRedis) -> None:
    """The table appears on a screen of its own; Ctrl-C gives the terminal back and ends with code 0."""
    pid, terminal = pty.fork()
    if pid == 0:
        told = environment(tmp_path, REDIS_URL=redis.url, TERM="xterm", COLUMNS="150", LINES="40")
        os.execve(str(DESK), [str(DESK), "feeds", "--every", "0.2"], told)
    seen = _read_until(terminal, b"BROKEN")
    os.kill(pid, signal.SIGINT)
    seen += _read_until(terminal, b"\x1b[?1049l")
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0
    assert b"\x1b[?1049h" in seen
    assert b"\x1b[?25h" in seen
    assert b"Traceback" not in seen


def test_alerts_are_listed_oldest_first(tmp_path: Path, redis: RunningRedis) -> None:
    """The stream as a table and as JSON; a bound takes the newest."""
    assert "level1 stands still" in run_desk(tmp_path, "alerts", "--since", "1h", REDIS_URL=redis.url)
    told = desk_json(tmp_path, "alerts", REDIS_URL=redis.url)
    assert [each["code"] for each in told] == ["feed_stale-one", "feed_stale-two"]
    newest = desk_json(tmp_path, "alerts", "--last", "1", REDIS_URL=redis.url)
    assert [each["code"] for each in newest] == ["feed_stale-two"]
    assert desk_json(tmp_path, "alerts", "--since", "2030-01-01T00:00:00Z", REDIS_URL=redis.url) == []


def test_followed_alerts_come_as_they_are_raised(tmp_path: Path, redis: RunningRedis) -> None:
    """What is raised while somebody follows is a line at once; Ctrl-C ends with code 0."""
    process = subprocess.Popen(
        [str(DESK), "alerts", "--follow"],
        env=environment(tmp_path, REDIS_URL=redis.url), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(2)]
    assert RedisAlerts(redis.url).raise_alert("feed_resolved-one", "tells again")
    lines.append(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert lines[2].endswith("critical feed_resolved-one: tells again\n")


def test_both_levels_are_read_in_one_order(redis: RunningRedis) -> None:
    """An emergency stands among the critical ones by its time."""
    log, client = RedisAlertLog(redis.url), RedisFeedBoard(redis.url)._client
    before = log.newest(None, 100)
    client.xadd("alerts:emergency", {"code": "halted", "text": "all stops"})
    (found,) = log.after(before, 1.0)
    assert (found.level, found.code) == (AlertLevel.EMERGENCY, "halted")
    assert log.newest(None, 100)[-1] == found
    assert log.after([*before, found], 0.01) == []
    client.delete("alerts:emergency")


@pytest.mark.parametrize("text", ["yesterday", "2h30m", "2026-11-20T14:30:00", "-5m", "9999999d"])
def test_a_moment_that_cannot_be_read_is_named(text: str) -> None:
    """Spans have one unit, times a zone."""
    with pytest.raises(InvalidFieldError, match="--since"):
        moment_of(text, NOW)


def test_moments_are_spans_or_times() -> None:
    """Two hours back, or a time with its zone."""
    assert moment_of("2h", NOW) == NOW - timedelta(hours=2)
    assert moment_of("2026-11-20T12:00:00-05:00", NOW) == NOW
    assert moment_of("", NOW) is None


def _read_until(terminal: int, words: bytes) -> bytes:
    seen, until = b"", time.monotonic() + READY_S
    while words not in seen and time.monotonic() < until:
        if select.select([terminal], [], [], 1.0)[0]:
            try:
                seen += os.read(terminal, 65_536)
            except OSError:  # the other side has closed
                break
    assert words in seen, seen[-2_000:]
    return seen
