"""Market assets build past sessions from history, count the one that is on, and may be asked again."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.freshness import CronFreshnessPolicy
from dagster_desk import DEFINITIONS
from lean_folder import LeanFolder, option_member
from market_desk import MemoryMarketDesk, ToldClock, value

from adapters.lean.history import LeanHistory
from assets.closed_days import CLOSED_WEEKDAYS
from assets.market import TABLES
from assets.sessions import FIRST_MARKET_SESSION, market_sessions
from desk.live_market import HEARD_ONLY
from trading.calendar import is_session
from trading.model.market import MarketKind
from trading.services.check_market import MARKET_RULES

NOON_MS = 43_200_000
ASKED = ("chains", "bars", "trades", "quotes", "volatility", "news_sentiment", "technicals")


@pytest.fixture
def desk(tmp_path: Path) -> MemoryMarketDesk:
    """Two sessions of one contract, a print, and a line after the close."""
    folder = LeanFolder(tmp_path)
    for day in ("20151223", "20151224"):
        lines = f"{NOON_MS},1,1,1,300,1,2,2,2,400,2\n72000000,1,1,1,300,1,2,2,2,400,2"
        folder.archive(f"{day}_quote_american.zip", {option_member("quote", day=day): lines})
        folder.archive(
            f"{day}_trade_american.zip", {option_member("trade", day=day): f"{NOON_MS},350,350,350,350,5"}
        )
    return MemoryMarketDesk(histories=[LeanHistory(tmp_path)])


def test_every_market_asset_is_there_with_its_sources() -> None:
    """The seven assets descend from sources outside, are fresh by market hours and partitioned by session."""
    graph = DEFINITIONS.resolve_asset_graph()
    specs = {spec.key: spec for spec in DEFINITIONS.resolve_all_asset_specs()}
    for name in ASKED:
        node = graph.get(dg.AssetKey(["core", name]))
        assert node.group_name == "market"
        assert node.partitions_def == market_sessions()
        assert isinstance(specs[node.key].freshness_policy, CronFreshnessPolicy)
        parents = {key.path[0]: key.path[-1] for key in node.parent_keys}
        if name == "technicals":  # computed of bars, so built after them
            assert parents.pop("core") == "bars"
        assert set(parents) == {"market_sources"}, name
    assert {table.name for table in TABLES} == set(ASKED)


def test_a_build_says_what_columns_its_table_has(desk: MemoryMarketDesk) -> None:
    """Of a table of two kinds each column stands under its kind."""
    told = desk.load("quotes", "news_sentiment", first="2015-12-24")
    shown = {
        table: [column.name for column in value(told[table][-1], "dagster/column_schema").columns]
        for table in told
    }
    assert shown["quotes"][:3] == ["symbol", "instrument_id", "at"]
    assert {"news.title", "sentiment.score"} <= set(shown["news_sentiment"])


def test_what_is_false_blocks_and_what_is_dirty_warns() -> None:
    """Rows outside their session and prints told twice keep later assets from being built; no other check."""
    graph = DEFINITIONS.resolve_asset_graph()
    specs = [graph.get_check_spec(key) for key in graph.asset_check_keys]
    market = {spec.name: spec.blocking for spec in specs if spec.name in {rule.name for rule in MARKET_RULES}}
    assert set(market) == {rule.name for rule in MARKET_RULES}
    assert {name for name, blocking in market.items() if blocking} == {
        "quotes_lie_in_the_session",
        "trades_lie_in_the_session",
        "bars_lie_in_the_session",
        "trades_are_told_once",
    }


def test_market_sessions_are_sessions_from_the_oldest_tape_on() -> None:
    """The recorded days are partitions; the closed days of 2013 and 2014 are none."""
    keys = set(market_sessions().get_partition_keys())
    assert {"2005-01-03", "2013-10-07", "2014-06-06", "2015-12-24", "2021-01-04", "2023-08-03"} <= keys
    assert not {"2012-10-29", "2013-11-28", "2014-04-18", "2014-12-25", "2015-12-25"} & keys
    closed = {day for day in CLOSED_WEEKDAYS if day >= FIRST_MARKET_SESSION}
    assert not any(is_session(day) for day in closed)
    assert len(keys) == sum(is_session(datetime.fromisoformat(key).date()) for key in keys)


def test_a_past_session_is_loaded_once_however_often_it_is_built(desk: MemoryMarketDesk) -> None:
    """Building again tells the same rows and adds none; what is after the close is told as left out."""
    for new in (1, 0):
        (told,) = desk.load("quotes", first="2015-12-24")["quotes"]
        assert (value(told, "rows_told"), value(told, "rows_new")) == (1, new)
        assert value(told, "dagster/partition_row_count") == 1
        assert value(told, "left out, by reason") == {"outside the session": 1}
        assert value(told, "files") == ["20151224_quote_american.zip"]
        assert value(told, "history") == "loaded"
        newest = datetime(2015, 12, 24, 17, 0, 59, 999_000, tzinfo=UTC)
        age = round((desk.clock.now() - newest).total_seconds() / 3600, 2)
        assert value(told, "newest_age_hours") == age


def test_a_played_session_is_counted_and_read_from_no_history(desk: MemoryMarketDesk) -> None:
    """A day that was simulated is not what a real source says of its date."""
    (told,) = desk.load("quotes", first="2015-12-24", more_tags=HEARD_ONLY)["quotes"]
    assert (value(told, "rows_told"), value(told, "history")) == (0, "no source has it")


def test_a_range_says_of_each_session_what_concerns_it(desk: MemoryMarketDesk) -> None:
    """A backfill over a week tells each session's rows, and that a session has no source."""
    told = desk.load("bars", "chains", first="2015-12-22", last="2015-12-24")
    assert [value(item, "rows_told") for item in told["bars"]] == [0, 1, 1]
    assert [value(item, "bars_filled_by_history") for item in told["bars"]] == [0, 1, 1]
    assert [value(item, "history") for item in told["bars"]] == ["no source has it", "loaded", "loaded"]
    assert [value(item, "instruments") for item in told["chains"]] == [0, 1, 1]


def test_the_session_that_is_on_is_counted_only(desk: MemoryMarketDesk) -> None:
    """Before its close nothing is loaded, though a file is there: half a day is no day."""
    desk.clock = ToldClock(datetime(2015, 12, 24, 17, 59, tzinfo=UTC))
    (told,) = desk.load("quotes", first="2015-12-24")["quotes"]
    assert value(told, "rows_told") == 0
    assert value(told, "history") == "not over: the live capture's"
    assert not desk.store.rows(MarketKind.QUOTE)
    desk.clock = ToldClock(datetime(2015, 12, 24, 18, 0, tzinfo=UTC))
    (told,) = desk.load("quotes", first="2015-12-24")["quotes"]
    assert value(told, "rows_new") == 1


def test_a_file_that_cannot_be_read_fails_the_run_by_its_name(desk: MemoryMarketDesk, tmp_path: Path) -> None:
    """What the other files tell is stored; when the file is mended, a repeat brings the rest."""
    member = "20151224_aapl_minute_quote_american_call_1000000_20151231.csv"
    path = LeanFolder(tmp_path).archive(
        "aapl/20151224_quote_american.zip", {member: f"{NOON_MS},1,1,1,300,1,2,2,2,400,2"}
    )
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    desk.histories = [LeanHistory(tmp_path)]
    with pytest.raises(dg.Failure, match=r"cannot be read: 20151224_quote_american\.zip") as raised:
        desk.load("quotes", first="2015-12-23", last="2015-12-24")
    assert raised.value.allow_retries is False
    assert len(desk.store.rows(MarketKind.QUOTE)) == 2
    path.write_bytes(whole)
    desk.histories = [LeanHistory(tmp_path)]
    (told,) = desk.load("quotes", first="2015-12-24")["quotes"]
    assert (value(told, "rows_told"), value(told, "rows_new")) == (2, 1)
