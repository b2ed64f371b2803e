"""Settings in, the way of alerts to the warehouse out; apart from `wiring`, which most processes load."""

from collections.abc import Callable

from adapters.wiring import open_alerts, open_warehouse, redis_url
from trading.ports.alerts import AlertRecord
from trading.services.drain_alerts import drain_alerts
from trading.settings import Settings


def alert_drain(settings: Settings, component: str) -> Callable[[], int]:
    """One round of the drain of alerts, over connections of its own: nobody else waits for it."""
    from adapters.redis.alert_queue import RedisAlertQueue

    queue = RedisAlertQueue(redis_url(settings))
    record, alerts = open_alert_record(settings), open_alerts(settings, component)
    return lambda: drain_alerts(queue, record, alerts)


def open_alert_record(settings: Settings) -> AlertRecord:
    """Every alert that was ever raised."""
    from adapters.clickhouse.alert_record import ClickHouseAlertRecord  # 0.3 s with the driver

    return ClickHouseAlertRecord(open_warehouse(settings))
