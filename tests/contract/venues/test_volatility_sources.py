"""The one-day index over real HTTP: three sources in order, failing one after another, and what is kept."""

import gzip
from datetime import date, timedelta
from decimal import Decimal

import pytest
from volatility_desk import FIRST, volatility_desk
from volatility_samples import new_york

from simulation.http.cboe import HTML
from simulation.http.server import Answer, Fault
from trading.calendar import sessions_between
from trading.errors import OutboxFullError
from trading.model.market import RefusedRow, Regime, VolatilityReading, VolatilitySource
from trading.ports.feed_health import FeedState

SESSIONS = sessions_between(date(2026, 10, 1), date(2026, 11, 19))
ROWS = [f"{session:%m/%d/%Y},15,16,14,15.5\n" for session in SESSIONS]
WHOLE = "".join(["DATE,OPEN,HIGH,LOW,CLOSE\n", *ROWS]).encode()
IBKR, YAHOO, DAILY = VolatilitySource.IBKR, VolatilitySource.YAHOO, VolatilitySource.CBOE_HISTORY


@pytest.fixture
def desk(tmp_path):
    """Friday at eleven, nothing asked yet."""
    with volatility_desk(tmp_path, new_york("11:00")) as made:
        yield made


def health(desk, source):
    """How a source is."""
    return next(feed for feed in desk.poller.health(desk.clock.moment) if feed.source == source)


def test_the_sources_in_their_order_while_they_fail_one_after_another(desk):
    """Broker, then Yahoo when the broker falls silent, in the end the daily history, marked as such."""
    desk.broker_says("16.2")
    desk.poll()
    assert (desk.reading.source, desk.reading.value) == (IBKR, Decimal("16.2"))
    desk.after(60)
    assert desk.reading.source is IBKR
    desk.after(61)
    assert desk.reading.source is YAHOO
    desk.yahoo.faults.extend([Fault(answer=Answer(b"", 503))] * 1_000)
    for _ in range(17):
        desk.after(60)
    assert desk.reading.source is YAHOO
    assert desk.reading.regime is Regime.UNKNOWN
    assert health(desk, YAHOO).state is FeedState.BROKEN
    desk.clock.market = new_york("20:00")
    desk.poll()
    assert (desk.reading.source, desk.reading.regime) == (DAILY, Regime.NORMAL)
    assert desk.reading.reason.startswith("the close of 2026-11-20; ")


def test_the_broker_takes_over_again_at_once(desk):
    """Its first fresh value counts, and its change is that of its own values."""
    desk.poll()
    assert desk.reading.source is YAHOO
    desk.broker_says("30")
    desk.after(15)
    assert (desk.reading.source, desk.reading.change_5m) == (IBKR, None)


def test_yahoo_knows_its_changes_from_the_start(desk):
    """The minutes that come with the newest value make five minutes and an hour known at the first poll."""
    desk.poll()
    assert desk.reading.change_5m is not None
    assert desk.reading.change_1h is not None


def test_a_shock_at_yahoo_is_a_shock(desk):
    """Six points within a poll, at the source that speaks."""
    desk.poll()
    desk.yahoo.jumps.append((desk.clock.market + timedelta(seconds=1), Decimal(6)))
    desk.after(15)
    assert desk.reading.regime is Regime.SHOCK


def test_yahoo_stands_by_while_the_broker_speaks(desk):
    """Every minute instead of every quarter of one."""
    asked = []
    for _ in range(16):
        desk.broker_says("16")
        asked += desk.after(15)
    assert asked.count("ibkr") == 16
    assert asked.count("yahoo") == 4


def test_by_night_nobody_is_asked_often(desk):
    """A closed market is no silence of the broker that Yahoo would have to fill."""
    desk.clock.market = new_york("20:00")
    asked = [name for _ in range(40) for name in desk.after(30)]
    assert asked.count("yahoo") == 2
    assert asked.count("ibkr") == 40


def test_the_same_time_of_day_is_known_after_the_first_start(desk):
    """Sixty days of five minutes give a z-score on the first day."""
    desk.poll()
    desk.after(15)
    assert desk.reading.samples >= 20
    assert desk.reading.z_score is not None


def test_a_restart_forgets_nothing(desk):
    """With all vendors down after a restart what was kept still makes a z-score and a last resort."""
    desk.poll()
    desk.yahoo.faults.extend([Fault(drop=True)] * 100)
    desk.cboe.faults.extend([Fault(drop=True)] * 100)
    desk.restart()
    desk.poll()
    assert desk.reading.source is DAILY
    desk.broker_says("16")
    desk.after(15)
    assert desk.reading.z_score is not None


def test_the_kept_history_is_asked_about_by_its_name(desk):
    """A second start sends the ETag and gets 304; no close is told twice to the warehouse."""
    desk.poll()
    told = len(desk.rows())
    desk.restart()
    desk.poll()
    assert desk.cboe.journal[-1].headers["if-none-match"]
    closes = [row for row in desk.rows()[told:] if isinstance(row, VolatilityReading) and row.source is DAILY]
    assert closes == []


def test_a_new_close_is_one_row(desk):
    """The next day the file has one session more, and only that one is told."""
    desk.poll()
    told = len(desk.rows())
    desk.clock.market = new_york("17:00")
    desk.poll()
    closes = [row for row in desk.rows()[told:] if isinstance(row, VolatilityReading) and row.source is DAILY]
    assert [row.at for row in closes] == [new_york("16:15")]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault(answer=Answer(HTML, 200, {"Content-Type": "text/html"})), "expected the header"),
        (Fault(cut_at_bytes=3_000), "RemoteProtocolError"),
        (Fault(answer=Answer(b"DATE,OPEN,HIGH,LOW,CLOSE\r\n11/19/2026,1,1,1,1")), "its last line has no end"),
        (Fault(answer=Answer(b"DATE,OPEN,HIGH,LOW,CLOSE\r\n11/19/2026,1,1,1,1\r\n")), "sessions or more"),
        (Fault(answer=Answer(b"", 304)), ""),
        (Fault(answer=Answer(b"moved", 302, {"Location": "http://127.0.0.1:1/"})), "no redirect is followed"),
        (Fault(drop=True), "RemoteProtocolError"),
    ],
)
def test_a_broken_daily_file_is_refused_whole(desk, fault, words):
    """An error page, half a file and a shorter one leave the kept history as it was."""
    desk.poll()
    before = desk.poller._daily
    desk.clock.market += timedelta(hours=6)
    desk.cboe.faults.append(fault)
    assert "cboe_history" in desk.poll()
    assert words in health(desk, DAILY).text
    assert desk.poller._daily == before


@pytest.mark.parametrize("is_cut", [False, True], ids=["whole", "cut"])
def test_a_packed_body_ends_with_its_trailer(desk, is_cut):
    """Half of a gzip is no shorter history: the first download too has to be whole."""
    packed = gzip.compress(WHOLE)
    body = packed[: len(packed) - 40] if is_cut else packed
    desk.cboe.faults.append(Fault(answer=Answer(body, 200, {"Content-Encoding": "gzip"})))
    desk.poll()
    assert (desk.poller._daily is None) is is_cut
    assert ("the trailer of gzip" in health(desk, DAILY).text) is is_cut


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ({}, "expected the session 2026-11-16 or a later one, was 2026-11-13 the newest"),
        ({"Last-Modified": "Fri, 20 Nov 2026 08:00:00 GMT"}, "expected the session 2026-11-16 or a later"),
        ({"Last-Modified": "Tue, 17 Nov 2026 23:00:00 GMT"}, ""),
        ({"Last-Modified": "soon"}, "expected the session 2026-11-16 or a later"),
    ],
)
def test_a_first_file_that_ends_too_early_is_refused_whole(desk, named, words):
    """Cut at the end of a line it reads like a whole one; when it was written says what has to be in it."""
    cut = WHOLE[: WHOLE.index(b"11/16/2026")]
    desk.cboe.faults.append(Fault(answer=Answer(cut, 200, named)))
    desk.poll()
    assert words in health(desk, DAILY).text
    assert bool(desk.poller._daily) is not bool(words)


def test_an_encoding_that_nobody_asked_for_is_refused(desk):
    """A body that cannot be held against a trailer is none."""
    desk.cboe.faults.append(Fault(answer=Answer(WHOLE, 200, {"Content-Encoding": "br"})))
    desk.poll()
    assert "expected gzip or no encoding" in health(desk, DAILY).text


def test_bad_rows_of_the_file_are_named_and_skipped(desk):
    """A row that is wrong is a refusal with its field, once, and all others count."""

    def spoil(lines):
        bad = ["11/31/2026,1,1,1,1", "11/18/2026,20.0,19.0,18.0,20.0", "11/17/2026,1,x,1,1", "nothing"]
        return [*(line for line in lines if line[:10] not in ("11/18/2026", "11/17/2026")), *bad]

    desk.cboe.spoil = spoil
    desk.poll()
    refused = [row for row in desk.rows() if isinstance(row, RefusedRow)]
    assert [row.field for row in refused] == ["DATE", "HIGH", "HIGH", "row"]
    assert refused[2].payload == "11/17/2026,1,x,1,1"
    desk.clock.market += timedelta(hours=6)
    desk.cboe._made = None
    desk.poll()
    assert len([row for row in desk.rows() if isinstance(row, RefusedRow)]) == 4
    assert health(desk, DAILY).refused == 4


@pytest.mark.parametrize(
    "answer",
    [
        Answer(b"Too Many Requests", 429),
        Answer.of({"chart": {"result": None, "error": {"code": "Not Found", "description": "delisted"}}}),
        Answer.of({"chart": {"result": [], "error": None}}),
        Answer.of({"chart": {"result": [{"meta": {"symbol": "^VIX"}}], "error": None}}),
        Answer.of({"chart": {"result": [{"meta": {"symbol": "^VIX1D"}}], "error": None}}),
        Answer.of({"finance": {"error": "unauthorized"}}),
        Answer(b"<html>consent</html>"),
        Answer(b'{"chart": {"result": [{"meta": {"symbol": "^VIX1D", "regularMarketPrice": NaN}}]}}'),
    ],
)
def test_what_is_no_chart_is_a_failure_and_no_value(desk, answer):
    """Refusals, other symbols, pages and missing prices count as failures of the source."""
    desk.broker_says("16")
    desk.yahoo.faults.extend([Fault(answer=answer)] * 2)
    desk.poll()
    assert desk.reading.source is IBKR
    assert health(desk, YAHOO).errors == 1
    assert health(desk, YAHOO).newest_at is None


def test_a_source_that_fails_is_left_alone_for_a_while(desk):
    """Three failures open the breaker; after a minute one trial decides."""
    desk.yahoo.faults.extend([Fault(answer=Answer(b"", 500))] * 100)
    for _ in range(8):
        desk.after(5)
    failed = len(desk.yahoo.journal)
    assert health(desk, YAHOO).state is FeedState.BROKEN
    for _ in range(5):
        desk.after(5)
    assert len(desk.yahoo.journal) == failed
    desk.yahoo.faults.clear()
    desk.after(60)
    desk.after(60)
    assert health(desk, YAHOO).state is FeedState.RUNNING
    assert [change.becomes for change in desk.poller.take_changes() if change.source == YAHOO] == [
        "open", "half_open", "closed",
    ]  # fmt: skip


def test_values_that_are_dated_ahead_are_refused(desk):
    """A vendor whose clock is five minutes ahead would not grow old when it stops."""
    desk.yahoo.delay = timedelta(minutes=-5)
    desk.poll()
    assert "a time up to 60 s after" in health(desk, YAHOO).text


def test_late_values_of_a_vendor_show_their_age(desk):
    """Twenty minutes late is UNKNOWN in session, however regularly it comes."""
    desk.yahoo.delay = timedelta(minutes=20)
    desk.poll()
    desk.after(15)
    assert (desk.reading.source, desk.reading.regime) == (YAHOO, Regime.UNKNOWN)


def test_what_could_not_be_published_comes_later(desk):
    """A full outbox hides no regime and loses no row: a later poll publishes them in their order."""
    sink = desk.poller._tools.sink
    sink._entries_max = 0
    desk.poll()
    assert isinstance(desk.unpublished[0], OutboxFullError)
    assert desk.rows() == []
    assert desk.reading is not None, "the regime is live all the same"
    sink._entries_max = 20_000
    desk.clock.market += timedelta(seconds=60)
    desk.poll()
    sessions = sessions_between(FIRST, date(2026, 11, 19))[-60:]
    assert [row.at.date() for row in desk.rows() if row.source is DAILY] == list(sessions)
    assert desk.unpublished == []


def test_the_same_day_twice_gives_the_same_rows(tmp_path):
    """Nothing in it depends on this machine: two runs of an hour publish the same rows."""

    def run(name):
        with volatility_desk(tmp_path / name, new_york("10:00")) as desk:
            for step in range(20):
                if step < 10:
                    desk.broker_says(str(15 + step % 5))
                desk.after(60)
            return desk.rows()

    assert run("one") == run("two")
