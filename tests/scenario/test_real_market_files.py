"""Recorded sessions into ClickHouse by the backfill assets: every line is a row or is told as left out.

The ordinary suite loads GOOG on 24 December 2015 (an early close), AAPL on the day of its split, SPXW on its
day of expiry and IBM's tape of one day; the soak loads every session of every folder, twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster_desk import DEFINITIONS
from embedded_warehouse import start_migrated_warehouse
from recorded_files import count_lines, lines_of

from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.market_store import ClickHouseMarketStore
from adapters.clock import SystemClock
from adapters.lean.history import LeanHistory
from trading.calendar import session_close, session_open, sessions_between
from trading.model.market import MarketKind
from trading.ports.model_runner import SessionRange
from trading.services.load_market import MarketTools, load_market

GOOG, AAPL, TAPES, SPX = (
    "lean-goog-options-20151224",
    "lean-aapl-options-201406",
    "lean-equity-ticks-201310",
    "lean-spx-options-202101",
)
KINDS = (MarketKind.QUOTE, MarketKind.TRADE, MarketKind.BAR, MarketKind.CHAIN)
TABLES = {
    MarketKind.QUOTE: "core.quotes",
    MarketKind.TRADE: "core.trades",
    MarketKind.BAR: "core.bars",
    MarketKind.CHAIN: "core.chains",
}
pytestmark = pytest.mark.timeout(900)


@dataclass
class RecordedDesk:
    """A warehouse, and the assets on a folder of recorded sessions."""

    warehouse: Warehouse
    instance: dg.DagsterInstance
    data: Path

    def backfill(self, session: str, *tables: str, last: str = "") -> dg.ExecuteInProcessResult:
        """Build the tables for a session, or for a range of them, with their checks."""
        keys = [dg.AssetKey(["core", table]) for table in tables]
        tags = {"dagster/partition": session}
        if last:
            tags = {"dagster/asset_partition_range_start": session, "dagster/asset_partition_range_end": last}
        result = DEFINITIONS.resolve_job_def("load_market").execute_in_process(
            instance=self.instance, asset_selection=keys, tags=tags, raise_on_error=True
        )
        assert result.success
        return result

    def count(self, table: str, session: str, where: str = "1") -> int:
        """Rows of one session."""
        found = self.warehouse.value(
            f"select count() from core.{table} where session = {{session:Date}} and {where}",
            {"session": date.fromisoformat(session)},
        )
        return int(found or 0)

    def value(self, query: str) -> Any:
        """One figure."""
        return self.warehouse.value(query)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Iterator[RecordedDesk]:
    """A warehouse of its own; every recorded folder at once."""
    home = tmp_path_factory.mktemp("recorded")
    server = start_migrated_warehouse(home / "warehouse")
    warehouse = Warehouse(server.url)
    environment = {
        "CLICKHOUSE_URL": server.url,
        "REDIS_URL": "redis://127.0.0.1:1",
        "DESK_HOME": str(home),
        "DESK_LEAN_FOLDER": str(shared_data),
        "CBOE_HISTORY_URL": "http://127.0.0.1:1/none.csv",
    }
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        for name, value in environment.items():
            patch.setenv(name, value)
        yield RecordedDesk(warehouse=warehouse, instance=instance, data=shared_data)
    warehouse.close()
    server.stop()


def _told(result: dg.ExecuteInProcessResult, table: str) -> dict[str, Any]:
    for event in result.get_asset_materialization_events():
        if event.asset_key == dg.AssetKey(["core", table]):
            told = event.step_materialization_data.materialization.metadata
            return {name: item.value for name, item in told.items()}
    raise AssertionError(f"{table} was not materialized")


def _found(result: dg.ExecuteInProcessResult) -> dict[str, int]:
    """Rows that each check found wrong."""
    return {
        item.check_name: int(item.metadata["failing_rows"].value)
        for item in result.get_asset_check_evaluations()
    }


def _named(result: dg.ExecuteInProcessResult, check: str) -> list[str]:
    (item,) = [item for item in result.get_asset_check_evaluations() if item.check_name == check]
    table = item.metadata["the first of them"]
    assert isinstance(table, dg.TableMetadataValue)
    return [str(record.data["what"]) for record in table.records]


def test_goog_on_an_early_close(desk: RecordedDesk) -> None:
    """2,192 contracts, 275,552 quote lines, 958 minutes of trades of 7,471 contracts; again adds nothing."""
    session, folder = "2015-12-24", desk.data / GOOG
    first = desk.backfill(session, "quotes", "bars", "chains")
    quotes, bars, chain = (_told(first, table) for table in ("quotes", "bars", "chains"))
    lines = count_lines(folder / "option_minute/20151224_quote_american.zip")
    options = "startsWith(instrument_id, 'OPT:')"
    assert lines == 275_552
    assert desk.count("quotes", session, options) == 275_387  # 165 lines are the minute after the close
    shares = count_lines(folder / "equity_minute/20151224_quote.zip")
    assert quotes["rows_told"] + quotes["lines_left_out"] == lines + shares
    assert set(quotes["left out, by reason"]) == {"outside the session"}
    trades = folder / "option_minute/20151224_trade_american.zip"
    assert desk.count("bars", session, options) == count_lines(trades) == 958
    traded = f"select sum(volume) from core.bars where session = '{session}' and {options}"
    assert desk.value(traded) == sum(int(line[5]) for _, line in lines_of(trades)) == 7_471
    assert desk.count("chains", session) == chain["instruments"] == 2_192
    interest = folder / "option_minute/20151224_openinterest_american.zip"
    assert sum(int(line[1]) for _, line in lines_of(interest)) == 179_502
    only_in_chain_file = 13  # of contracts that the file of open interest does not name
    told = desk.value(f"select sum(open_interest) from core.chains where session = '{session}'")
    assert told == 179_502 + only_in_chain_file
    assert bars["sources"] == ["lean"]
    assert chain["smile"].startswith("![Implied volatility by strike, 2015-12-24](data:image/png;base64,")
    outside = desk.warehouse.value(
        "select count() from core.quotes where session = {session:Date} "
        "and (at < {opens:DateTime64(6, 'UTC')} or at >= {closes:DateTime64(6, 'UTC')})",
        {
            "session": date(2015, 12, 24),
            "opens": session_open(date(2015, 12, 24)),
            "closes": session_close(date(2015, 12, 24)),
        },
    )
    assert outside == 0
    again = desk.backfill(session, "quotes")
    assert (_told(again, "quotes")["rows_told"], _told(again, "quotes")["rows_new"]) == (
        quotes["rows_told"],
        0,
    )
    assert desk.count("quotes", session, options) == 275_387
    found = _found(first)
    assert found["quotes_lie_in_the_session"] == found["bars_lie_in_the_session"] == 0
    assert (
        found["quotes_are_not_crossed"] == found["put_call_parity_holds"] == found["bars_have_no_gaps"] == 0
    )
    assert found["chain_is_complete"] == 14
    assert found["greeks_are_in_range"] > 0
    assert _found(again).items() <= found.items()


def test_aapl_across_its_split(desk: RecordedDesk) -> None:
    """Series under two strikes and open interest of before the split are named, on both days as they are."""
    result = desk.backfill("2014-06-06", "bars", "chains")
    before = _found(result)
    assert before["series_are_listed_once"] == 2_180  # the adjusted strikes were published early
    assert before["open_interest_is_of_the_new_series"] == before["contracts_have_not_expired"] == 0
    result = desk.backfill("2014-06-09", "bars", "quotes", "chains")
    after = _found(result)
    assert after["series_are_listed_once"] == 2_180
    assert "OPT:AAPL  140613C00650000 is also OPT:AAPL  140613C00092860" in _all_twins(desk)
    assert after["contracts_have_not_expired"] == 172
    stale = _stale_open_interest(desk.data / AAPL)
    assert stale <= after["open_interest_is_of_the_new_series"] <= stale + 15  # the chain file knows 15 more
    named = _named(result, "open_interest_is_of_the_new_series")
    assert len(named) == 20
    assert "OPT:AAPL  150117C00700000 2014-06-09: open interest 35702 of before the split, lean" in named
    assert after["quotes_are_not_crossed"] == 2
    assert _named(result, "quotes_are_not_crossed")[0].startswith(
        "OPT:AAPL  140613P00080710 2014-06-09 15:59:59"
    )
    minute = desk.data / AAPL / "option_minute/20140606_trade_american.zip"
    told = "startsWith(instrument_id, 'OPT:') and seconds = 60"
    late = sum(1 for _, line in lines_of(minute) if int(line[0]) >= 57_600_000)
    assert desk.count("bars", "2014-06-06", told) == count_lines(minute) - late
    assert count_lines(minute) == 22_067


def _all_twins(desk: RecordedDesk) -> str:
    """One pair of old and new, by the warehouse's own rows."""
    rows = desk.warehouse.rows(
        "select instrument_id from core.chains where session = '2014-06-09' and expiry = '2014-06-13' "
        "and option_right = 'C' and strike in (650, 92.86) order by strike desc"
    )
    return " is also ".join(row["instrument_id"] for row in rows)


def _stale_open_interest(folder: Path) -> int:
    """Lines of the new day's file with open interest of series that can still trade."""
    archive = folder / "option_minute/20140609_openinterest_american.zip"
    return sum(1 for name, line in lines_of(archive) if int(line[1]) > 0 and "_20140606.csv" not in name)


def test_spxw_on_its_day_of_expiry(desk: RecordedDesk) -> None:
    """The index is told in Chicago, its options in New York: both open at half past nine in New York."""
    session, folder = "2021-01-04", desk.data / SPX
    result = desk.backfill(session, "quotes", "bars", "chains")
    for root in ("spxw", "spx"):
        archive = folder / f"option_minute/{root}_20210104_quote_european.zip"
        mine = f"startsWith(instrument_id, 'OPT:{root.upper():<6}')"
        assert desk.count("quotes", session, mine) == count_lines(archive)
    first = desk.value(
        f"select min(at) from core.bars where session = '{session}' and instrument_id = 'IND:SPX'"
    )
    assert first == session_open(date(2021, 1, 4))
    zero_days = f"select count() from core.chains where session = '{session}' and expiry = '{session}'"
    assert desk.value(zero_days) == 4 + 1  # one is known by its open interest only
    assert _found(result)["quotes_lie_in_the_session"] == 0
    assert _found(result)["put_call_parity_holds"] == 0
    again = desk.backfill(session, "quotes", "bars", "chains")
    for table in ("quotes", "bars", "chains"):
        assert _told(again, table)["rows_new"] == 0
        assert _told(again, table)["rows_told"] == _told(result, table)["rows_told"]
    assert _found(again) == _found(result)


def test_ibms_tape_of_a_day(desk: RecordedDesk) -> None:
    """Every print and change of the touch in hours, signed by the quote that stood; crossed ones named."""
    session, folder = "2013-10-07", desk.data / TAPES / "ibm"
    result = desk.backfill(session, "quotes", "trades")
    for table, kind in (("quotes", "quote"), ("trades", "trade")):
        archive = folder / f"20131007_{kind}.zip"
        told = _told(result, table)
        assert told["rows_told"] + told["lines_left_out"] == count_lines(archive)
        in_hours = sum(
            34_200_000 <= int(line[0]) < 57_600_000 and line[-1] == "0" for _, line in lines_of(archive)
        )
        assert desk.count(table, session) == in_hours
    assert _told(result, "quotes")["left out, by reason"]["marked suspicious by its source"] == 1
    crossed = _found(result)["quotes_are_not_crossed"]
    assert 0 < crossed / desk.count("quotes", session) < 0.001  # 0.08 % of a tape carried forward right
    sides = desk.warehouse.rows(
        "select countIf(price >= ask) / count() as bought, countIf(price <= bid) / count() as sold, "
        "countIf(signed_by = 'quote') / count() as by_quote from core.trades where session = '2013-10-07'"
    )[0]
    assert 0.33 < sides["bought"] < 0.38
    assert 0.33 < sides["sold"] < 0.38
    assert sides["by_quote"] > 0.85
    assert _found(result)["trades_are_told_once"] == 0


@pytest.mark.soak
def test_every_recorded_session_twice(desk: RecordedDesk) -> None:
    """All sessions of all folders: rows and lines left out are the files' lines; a second time adds none."""
    history = LeanHistory(desk.data)
    tools = MarketTools(histories=[history], store=ClickHouseMarketStore(desk.warehouse), clock=SystemClock())
    days = sorted({day for kind in KINDS for day in history.sessions(kind)})
    assert len(days) >= 17
    sessions = SessionRange(first=days[0], last=days[-1])
    assert len(sessions_between(days[0], days[-1])) > 2_000
    for is_again in (False, True):
        for kind in KINDS:
            for day in history.sessions(kind):
                (loaded,) = load_market([kind], SessionRange(first=day, last=day), tools)
                (load,) = loaded.loads
                if kind is not MarketKind.CHAIN:
                    lines = sum(_lines_of_day(desk.data / name, day) for name in load.files)
                    assert loaded.total + load.left_out.total == lines, (kind, day)
                if is_again:
                    assert loaded.new == 0, (kind, day)
    assert sessions.last == days[-1]


def _lines_of_day(path: Path, day: date) -> int:
    """Lines of an archive that are of the day; those of a year's archive begin with it."""
    if path.parent.name != "option_hour":
        return count_lines(path)
    return sum(line == [f"{day:%Y%m%d}"] for _, line in lines_of(path))
