"""Conditions on a real Redis: open while they hold, over when somebody finds that they do not, told once."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alert_desk import NOON, AlertDesk
from alert_ends import shows_the_end_of
from real_redis import RunningRedis, start_redis

from adapters.clickhouse.alert_record import ClickHouseAlertRecord
from adapters.clickhouse.client import Warehouse
from adapters.redis import alert_writer, keys
from adapters.redis.alert_words import Word, write_word
from adapters.redis.alerts import RedisAlerts
from adapters.redis.full_market_alert import FullMarketAlert
from adapters.redis.outbox import RedisOutbox
from trading.errors import InvalidFieldError, OutboxFullError
from trading.model.alerts import CODE_CHARS_MAX, TEXT_CHARS_MAX, AlertKind
from trading.model.broker import BrokerEvent, BrokerEventKind

STUCK, SKEW = "drain_stuck", "ingest_clock_skew"
CODES = 1_000
SECONDS = 3
WRITTEN_S = 60.0


@pytest.fixture
def desk(redis_server: RunningRedis) -> AlertDesk:
    """An empty server."""
    return AlertDesk(redis_server.url)


@pytest.fixture
def record(warehouse: Warehouse) -> ClickHouseAlertRecord:
    """Where they stay."""
    return ClickHouseAlertRecord(warehouse)


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RunningRedis]:
    """A server that a test may take away."""
    server = start_redis(tmp_path, append_only=True)
    yield server
    server.kill()


def test_a_condition_is_open_from_its_begin_to_its_end_and_told_once(desk: AlertDesk) -> None:
    """However often it is found; the next time it is another alert; an event has no end."""
    drain = desk.writer("drain")
    for _ in range(3):
        assert drain.tell(STUCK, "refuses every entry")
    assert desk.open_codes() == [STUCK]
    for _ in range(3):
        assert drain.end(STUCK, "takes entries")
    assert desk.open_codes() == []
    desk.pass_minutes(6)
    assert drain.tell(STUCK, "again")
    assert desk.words() == [
        ("raised", STUCK, "refuses every entry"),
        ("resolved", STUCK, "takes entries"),
        ("raised", STUCK, "again"),
    ]
    first, second = desk.log.newest(None, 10)
    assert first.identity != second.identity
    assert (first.resolved_by, second.resolved_at, second.kind) == (
        "takes entries",
        None,
        AlertKind.CONDITION,
    )
    with pytest.raises(InvalidFieldError, match="an event has no end"):
        drain.end("market_outbox_lost", "never")


def test_what_nobody_raised_has_no_end(desk: AlertDesk) -> None:
    """A process that begins well writes nothing."""
    assert desk.writer("drain").end(STUCK, "takes entries")
    assert desk.words() == []


def test_other_words_of_an_open_condition_are_told_after_a_while(desk: AlertDesk) -> None:
    """A break that grew is told by whoever looks, not forgotten; the alert stays the same one."""
    writer = desk.writer("reconciliation")
    for size in ("10", "20", "100000"):
        assert writer.tell("break-1", f"size {size}")
    assert len(desk.words()) == 1
    desk.pass_minutes(6)
    assert RedisAlerts(desk.url).look() == 1
    assert [text for _, _, text in desk.words()] == ["size 10", "size 100000"]
    assert desk.shown("break-1").text == "size 100000"
    assert RedisAlerts(desk.url).look() == 0


def test_what_two_processes_find_is_one_alert_until_both_find_it_no_more(desk: AlertDesk) -> None:
    """Each speaks for itself; the second of two that are one component is the same holder."""
    first, second, twin = desk.writer("ingest"), desk.writer("vendors"), desk.writer("ingest")
    for writer in (first, second, twin):
        assert writer.tell("market_outbox_full", "AAPL waits")
    assert first.end("market_outbox_full", "it takes blocks")
    assert desk.open_codes() == ["market_outbox_full"], "vendors is still refused"
    assert second.end("market_outbox_full", "it takes blocks")
    assert twin.end("market_outbox_full", "it takes blocks")
    assert Counter(word for word, _, _ in desk.words()) == {"raised": 1, "resolved": 1}


def test_a_fact_is_ended_by_anybody_who_sees_it(desk: AlertDesk) -> None:
    """A person explains the break that the watch of positions found."""
    assert desk.writer("positions").tell("live_position-1", "we hold 1, the broker says 2")
    assert desk.writer("reconciliation").end("live_position-1", "the break is explained")
    assert desk.open_codes() == []


@shows_the_end_of("broker_numbers_ended", "ingest_numbers_ended")
def test_what_a_process_left_open_ends_with_the_next_of_its_component(desk: AlertDesk) -> None:
    """Killed ones write no end; feeds have their own judge, and other components speak for themselves."""
    desk.writer("ingest").tell(SKEW, "+20 s")
    desk.writer("ingest").tell("ingest_numbers_ended", "2147483647 was used")
    desk.writer("broker").tell("broker_numbers_ended", "2147483647 was used")
    assert RedisAlerts(desk.url, "broker").take_over()
    desk.writer("ingest").tell_episode("feed_stale-x", "stands still", NOON)
    desk.writer("drain").tell(STUCK, "refuses")
    assert RedisAlerts(desk.url, "ingest").take_over()
    assert desk.open_codes() == [STUCK, "feed_stale-x"]
    assert desk.shown(SKEW).resolved_by == alert_writer.PROCESS_ENDED
    fresh = desk.writer("drain")
    assert fresh.end(STUCK, "takes entries"), "who never raised it finds it open"
    assert desk.open_codes() == ["feed_stale-x"]


def test_a_thousand_conditions_that_flap_are_bounded_and_their_count_is_in_the_history(
    desk: AlertDesk, warehouse: Warehouse, record: ClickHouseAlertRecord
) -> None:
    """Each is told at once, and within five minutes no more; then one line says how often it came."""
    writer = desk.writer("ingest")
    codes = [f"lock-contract-{number}" for number in range(CODES)]
    for second in range(SECONDS):
        for code in codes:
            assert writer.tell(code, f"locked in second {second}")
            assert writer.end(code, "lifted")
    assert Counter(word for word, _, _ in desk.words()) == {"raised": CODES, "resolved": CODES}
    assert writer.tell(codes[0], "locked, and stays so")
    desk.pass_minutes(6)
    looked = RedisAlerts(desk.url)
    while looked.look() or looked._looked_to:
        pass
    desk.drain(record)
    told = [str(row["text"]) for row in warehouse.rows("select text from audit.alerts")]
    assert len(told) == 2 * CODES
    again = [text.partition("(")[2].partition(" since")[0] for text in told if "(came" in text]
    assert Counter(again) == {f"came {SECONDS - 1} times": CODES - 1, f"came {SECONDS} times": 1}
    assert desk.open_codes() == [codes[0]]
    assert [each.code for each in record.open(10)] == [codes[0]]
    desk.pass_minutes(6)
    while looked.look() or looked._looked_to:
        pass
    assert desk.client.hlen(keys.ALERTS_CONDITIONS.at()) == 1, "what is over is forgotten"


def test_a_flush_in_the_middle_of_an_episode_leaves_one_alert(
    desk: AlertDesk, record: ClickHouseAlertRecord
) -> None:
    """Whether its process raises it again, only ends it, or is gone: what is open is what still holds."""
    writer = desk.writer("drain")
    for code in (STUCK, "market_drain_stuck", "shifts"):
        assert writer.tell(code, "as it is")
    desk.drain(record)
    desk.client.flushall()
    desk.clock.s += 60
    assert writer.tell(STUCK, "as it is"), "raised again under its name"
    assert writer.end("market_drain_stuck", "takes blocks"), "ended under its name"
    desk.drain(record)
    assert sorted(each.code for each in record.open(10)) == [STUCK, "shifts"]
    assert desk.open_codes() == [STUCK, "shifts"], "the drain told a live state that lost it"
    stranger = desk.writer("dagster")
    assert stranger.end("shifts", "somebody works") and stranger.end(STUCK, "it does")
    assert desk.open_codes() == [STUCK], "what its own process holds is its to end"
    assert writer.end(STUCK, "takes entries")
    desk.drain(record)
    assert record.open(10) == []
    named = Counter(each.code for each in record.newest(None, 100))
    assert named == {STUCK: 1, "market_drain_stuck": 1, "shifts": 1, "alerts_lost": 1}


def test_what_is_open_is_stored_though_its_words_were_dropped_while_the_warehouse_was_away(
    desk: AlertDesk, record: ClickHouseAlertRecord
) -> None:
    """An hour of other alerts pushed them out of the stream: said, and what is open is told again."""
    writer = desk.writer("drain")
    assert writer.tell("command_unreadable", "stored")
    desk.drain(record)
    assert writer.tell(STUCK, "refuses every entry")
    assert writer.tell("market_outbox_lost", "dropped")
    desk.client.xtrim(keys.ALERTS_CRITICAL.at(), maxlen=0)  # as each XADD does at its bound
    assert writer.tell("outbox_entries_refused", "the newest")
    desk.drain(record)
    assert [each.code for each in record.open(10)] == [STUCK]
    told = {each.code for each in record.newest(None, 10)}
    assert told == {"command_unreadable", "outbox_entries_refused", "alerts_lost", STUCK}
    assert writer.end(STUCK, "takes entries")
    desk.drain(record)
    assert record.open(10) == []


def test_a_kill_between_the_word_and_the_note_of_it_loses_nothing(
    desk: AlertDesk, record: ClickHouseAlertRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next look writes the same word again, which is the same word."""
    told = alert_writer.write_word
    for word_is_written in (False, True):
        code = f"lock-{word_is_written}"
        for step in ("tell", "end"):
            writer = desk.writer("drain")

            def killed(*args: object, is_written: bool = word_is_written) -> None:
                if is_written:
                    told(*args)  # type: ignore[arg-type]
                raise KeyboardInterrupt

            monkeypatch.setattr(alert_writer, "write_word", killed)
            with pytest.raises(KeyboardInterrupt):
                getattr(writer, step)(code, "words")
            monkeypatch.setattr(alert_writer, "write_word", told)
            RedisAlerts(desk.url).look()
            desk.drain(record)
            assert [each.code for each in record.open(10)] == ([code] if step == "tell" else [])
    assert len(record.newest(None, 10)) == 2


def test_what_is_raised_while_redis_is_away_is_written_when_it_is_back_with_its_time_once(
    own_redis: RunningRedis,
) -> None:
    """By the process itself, in order, though nobody raises it again; an open one that ended stays both."""
    desk = AlertDesk(own_redis.url)
    writer = desk.writer("broker")
    assert writer.tell("broker_outbox_lost", "told before")
    own_redis.kill()
    assert not writer.tell("broker_event_left_out", "a kind")
    assert not writer.tell("broker_event_left_out", "a kind"), "a repeat is the same one"
    assert not writer.tell("broker_clock_skew", "+20 s")
    desk.clock.s += 600
    assert not writer.end("broker_clock_skew", "+0 s")
    assert not writer.tell("drain_stuck", "refuses")
    desk.clock.s += 3_000
    assert writer.waiting() == 4
    own_redis.restart()
    deadline = time.monotonic() + WRITTEN_S
    while writer.waiting():
        assert time.monotonic() < deadline, "the process did not write what waited"
        time.sleep(0.02)
    now = datetime.now(UTC)
    ages = {each.code: (now - each.at).total_seconds() for each in desk.log.newest(None, 10)}
    assert ages.pop("broker_outbox_lost") < 300
    expected = {"broker_event_left_out": 3_600, "broker_clock_skew": 3_600, "drain_stuck": 3_000}
    assert {code: round(age / 300) * 300 for code, age in ages.items()} == expected
    skew = desk.shown("broker_clock_skew")
    assert skew.resolved_at is not None
    assert round((skew.resolved_at - skew.at) / timedelta(minutes=1)) == 10
    assert desk.open_codes() == ["drain_stuck"]
    assert writer.tell("broker_event_left_out", "a kind"), "told lately"
    assert Counter(code for _, code, _ in desk.words())["broker_event_left_out"] == 1


def test_what_waits_is_bounded_and_what_was_too_many_is_said(
    own_redis: RunningRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first are kept, of a code that flaps at most two words; the count of the others is an alert."""
    monkeypatch.setattr(alert_writer, "WAITING_MAX", 5)
    desk = AlertDesk(own_redis.url)
    writer = desk.writer("broker", retry_s=3_600)
    own_redis.kill()
    for _ in range(100):
        writer.tell("broker_clock_skew", "+20 s")
        writer.end("broker_clock_skew", "+0 s")
    for number in range(8):
        writer.tell(f"broker_undecodable_{number}", "fields")
    assert writer.waiting() == 5
    own_redis.restart()
    assert writer.write_waiting()
    told = [each.code for each in desk.log.newest(None, 100)]
    assert sorted(told) == [
        "alerts_lost",
        "broker_clock_skew",
        *(f"broker_undecodable_{n}" for n in range(3)),
    ]
    assert desk.shown("alerts_lost").text.startswith("5 of broker beyond 5")
    assert desk.open_codes() == []


def test_a_clock_that_is_set_moves_no_alert(desk: AlertDesk) -> None:
    """Times are the server's; a word that claims to be from the future was meant when it was written."""
    word = Word(identity="x", code="command_unreadable", text="ahead", component="broker")
    later_ms = int((datetime.now(UTC) + timedelta(days=400)).timestamp() * 1000)
    write_word(desk.client, word)
    desk.client.xadd(keys.ALERTS_CRITICAL.at(), {"code": "ahead", "text": "t", "at_ms": str(later_ms)})
    desk.client.xadd(keys.ALERTS_CRITICAL.at(), {"code": "beyond", "text": "t", "at_ms": "9" * 40})
    desk.clock.s = -1e9  # what no monotonic clock does
    assert desk.writer("drain").tell(STUCK, "refuses")
    now = datetime.now(UTC)
    assert all(abs((now - each.at).total_seconds()) < 300 for each in desk.log.newest(None, 10))


@pytest.mark.parametrize("kind", ["string", "list", "garbage"])
def test_keys_of_another_type_are_replaced_and_stop_nobody(
    desk: AlertDesk, record: ClickHouseAlertRecord, kind: str
) -> None:
    """A foreign hand costs what it overwrote, never the next alert."""
    names = [
        family.at()
        for family in (
            keys.ALERTS_CRITICAL,
            keys.ALERTS_RESOLVED,
            keys.ALERTS_CONDITIONS,
            keys.ALERTS_DRAINED,
            keys.ALERTS_EPOCH,
        )
    ]
    if kind == "garbage":
        for text in ("no json", "[]", "{}", json.dumps({"is_open": True, "id": 7, "ends": 3})):
            desk.client.hset(keys.ALERTS_CONDITIONS.at(), f"lock-{len(text)}", text)
            desk.client.hset(keys.ALERTS_CONDITIONS.at(), STUCK, text)
    else:
        for name in names:
            desk.client.delete(name)
            desk.client.set(name, "x") if kind == "string" else desk.client.lpush(name, "x")
    assert desk.log.open() == []
    writer = desk.writer("drain")
    assert writer.tell(STUCK, "refuses")
    assert writer.tell("command_unreadable", "once")
    alerts = RedisAlerts(desk.url, "drain")
    alerts.has_lost_all()
    desk.drain(record)
    assert writer.end(STUCK, "takes entries")
    desk.drain(record)
    told = {each.code: each.resolved_by for each in record.newest(None, 10)}
    assert told == {STUCK: "takes entries", "command_unreadable": ""}
    assert alerts.take_over()


@pytest.mark.parametrize("code", ["lock-contract-", "command_unreadable"])
@pytest.mark.parametrize(
    "text",
    [
        "Zürich – 東京 – 🜁",
        "two\nlines\r\x1b[31mred\x1b[0m\x07",
        "a \ud800 half of a pair",
        "\u202eright to left",
        "x" * 100_000,
        "",
    ],
    ids=["letters", "control", "surrogate", "direction", "long", "empty"],
)
def test_any_text_is_one_bounded_line_in_the_live_state_and_in_the_record(
    desk: AlertDesk, record: ClickHouseAlertRecord, code: str, text: str
) -> None:
    """In the code, too, which names keys: what no key may hold is another sign there."""
    writer = desk.writer("drain")
    assert writer.tell(code, text)
    assert writer.tell(f"lock-{text}", text)
    assert writer.end(f"lock-{text}", text)
    desk.drain(record)
    live, kept = desk.log.newest(None, 10), record.newest(None, 10)
    assert sorted(each.text for each in live) == sorted(each.text for each in kept)
    for each in (*live, *kept):
        assert len(each.text) <= TEXT_CHARS_MAX and len(each.code) <= CODE_CHARS_MAX
        assert (each.text + each.code).isprintable()
    if text.startswith("Zürich"):
        assert {each.text for each in kept} == {text}


def test_two_long_codes_stay_two(desk: AlertDesk) -> None:
    """What is cut keeps a digest of the whole."""
    writer = desk.writer("drain")
    for end in "ab":
        assert writer.tell("lock-" + "x" * 10_000 + end, "locked")
    assert len(desk.open_codes()) == 2


def test_more_conditions_than_there_is_room_for_are_said_to_be(
    desk: AlertDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are open stay; the next one is in the log, and an event says so once."""
    monkeypatch.setattr(alert_writer, "CONDITIONS_MAX", 3)
    writer = desk.writer("drain")
    for number in range(6):
        assert writer.tell(f"lock-{number}", "locked")
    assert desk.open_codes() == ["lock-0", "lock-1", "lock-2"]
    assert "lock-3 is in the log only" in desk.shown("alerts_crowded").text
    assert writer.end("lock-4", "lifted")
    assert Counter(word for word, _, _ in desk.words()) == {"raised": 4}


@shows_the_end_of("outbox_full")
def test_a_full_outbox_is_over_with_the_first_append_that_is_taken(desk: AlertDesk) -> None:
    """Also where the process that raised it is another one."""
    noon = datetime(2026, 11, 20, 17, tzinfo=UTC)
    event = BrokerEvent(kind=BrokerEventKind.LINK, heard_at=noon, payload={"state": "ready"})
    outbox = RedisOutbox(desk.url, entries_max=2)
    outbox.append([event, event])
    for _ in range(3):
        with pytest.raises(OutboxFullError):
            outbox.append([event])
    assert desk.open_codes() == ["outbox_full"]
    desk.client.delete(keys.OUTBOX.at(topic="broker", sym="IBKR"))
    RedisOutbox(desk.url, entries_max=2).append([event])
    assert desk.open_codes() == []
    assert Counter(word for word, _, _ in desk.words()) == {"raised": 1, "resolved": 1}


@shows_the_end_of("market_outbox_full")
def test_a_full_market_is_over_when_every_refused_symbol_is_taken(desk: AlertDesk) -> None:
    """Another symbol that was never refused does not end it."""
    full = FullMarketAlert(desk.client, "market")
    full.tell_full("2 symbols: AAPL, SPY")
    full.judge({"AAPL", "SPY"}, {"QQQ"})
    full.judge(set(), {"QQQ"})
    full.judge(set(), {"AAPL"})
    assert desk.open_codes() == ["market_outbox_full"]
    full.judge(set(), {"SPY"})
    assert desk.open_codes() == []
