"""`desk alerts`: what is open from Redis, and all that ever was from the warehouse."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from desk_command import desk_json, run_desk
from embedded_warehouse import start_migrated_warehouse
from real_redis import start_redis

from adapters.clickhouse.alert_record import ClickHouseAlertRecord
from adapters.clickhouse.client import Warehouse
from adapters.redis.alerts import RedisAlerts
from trading.ports.alerts import AlertEntry, AlertLevel, AlertWord

NOW = datetime(2026, 11, 20, 17, tzinfo=UTC)


def test_what_is_over_is_shown_only_where_it_is_asked_for(tmp_path: Path) -> None:
    """Open alerts by themselves; with a span also those that are over, with what ended them."""
    server = start_redis(tmp_path / "redis")
    alerts = RedisAlerts(server.url, "ingest")
    for name in ("SPY", "QQQ"):
        assert alerts.raise_episode(f"feed_stale-{name}", "stands still", NOW)
    assert alerts.raise_alert("feed_resolved-SPY", "tells again")
    assert alerts.end_episode("feed_stale-SPY", "it tells again", NOW)
    assert alerts.raise_alert("market_outbox_lost", "an event of today")
    shown, event = desk_json(tmp_path, "alerts", REDIS_URL=server.url)
    assert (event["code"], event["kind"]) == ("market_outbox_lost", "event")
    assert (shown["code"], shown["component"], shown["market_at"]) == (
        "feed_stale-QQQ",
        "ingest",
        NOW.isoformat(),
    )
    every = desk_json(tmp_path, "alerts", "--since", "1h", REDIS_URL=server.url)
    assert [(each["code"], bool(each["resolved_at"])) for each in every] == [
        ("feed_stale-SPY", True),
        ("feed_stale-QQQ", False),
        ("feed_resolved-SPY", False),
        ("market_outbox_lost", False),
    ]
    assert "it tells again]" in run_desk(tmp_path, "alerts", "--since", "1h", REDIS_URL=server.url)
    server.kill()


def test_all_that_ever_was_is_the_warehouses(tmp_path: Path) -> None:
    """A day, or --history, asks the warehouse; without Redis, and with all that Redis has long forgotten."""
    running = start_migrated_warehouse(tmp_path / "warehouse")
    at = datetime(2026, 11, 19, 15, tzinfo=UTC)
    words = [
        AlertEntry(
            stream="alerts:critical", entry_id=f"{int(each.timestamp() * 1000)}-0", word=AlertWord.RAISED,
            identity=code, level=AlertLevel.CRITICAL, code=code, text="long ago", component="drain",
            at=each, market_at=None,
        )
        for code, each in (("old", at), ("older", at - timedelta(days=2)))
    ]  # fmt: skip
    ClickHouseAlertRecord(Warehouse(running.url)).record(words)
    url = running.url
    told = desk_json(tmp_path, "alerts", "--history", CLICKHOUSE_URL=url)
    assert [each["code"] for each in told] == ["older", "old"]
    told = desk_json(tmp_path, "alerts", "--since", "2026-11-19", CLICKHOUSE_URL=url)
    assert [(each["code"], each["at"]) for each in told] == [("old", at.isoformat())]
    assert "long ago" in run_desk(tmp_path, "alerts", "--history", CLICKHOUSE_URL=url)
    running.kill()
