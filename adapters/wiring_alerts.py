"""Settings in, the way of alerts to the warehouse out; apart from `wiring`, which most processes load."""

from collections.abc import Callable

from adapters.wiring import open_alerts, open_watches_warehouse, redis_url
from trading.ports.alerts import AlertLog, AlertRecord
from trading.services.drain_alerts import AlertDrainTools, drain_alerts
from trading.settings import Settings


def alert_drain(settings: Settings, component: str) -> Callable[[], int]:
    """One round of the drain of alerts, over connections of its own: nobody else waits for it."""
    tools = alert_drain_tools(settings, component)
    return lambda: drain_alerts(tools.queue, tools.record, tools.alerts)


def alert_drain_tools(settings: Settings, component: str) -> AlertDrainTools:
    """What the drain of alerts reads and writes."""
    from adapters.redis.alert_queue import RedisAlertQueue

    return AlertDrainTools(
        queue=RedisAlertQueue(redis_url(settings)),
        record=open_alert_record(settings),
        alerts=open_alerts(settings, component),
    )


def open_alert_log(settings: Settings) -> AlertLog:
    """What was alerted lately."""
    from adapters.redis.alerts import RedisAlertLog

    return RedisAlertLog(redis_url(settings))


def open_alert_record(settings: Settings) -> AlertRecord:
    """Every alert that was ever raised."""
    from adapters.clickhouse.alert_record import ClickHouseAlertRecord  # 0.3 s with the driver

    return ClickHouseAlertRecord(open_watches_warehouse(settings))
