"""Alerts in Redis: the stream and channel that people watch, each code at most once in a while."""

import logging
from typing import Any

from adapters.redis import keys
from adapters.redis.connection import asked, open_client
from adapters.redis.outbox import alert
from trading.errors import LiveStateUnavailableError
from trading.ports.alerts import Alerts

logger = logging.getLogger(__name__)


class RedisAlerts(Alerts):
    """The port on a real Redis."""

    def __init__(self, url: str) -> None:
        self._client: Any = open_client(url)

    def raise_alert(self, code: str, text: str) -> bool:
        """Write the alert unless the key of its code says that it was written lately."""
        key = keys.ALERT_TOLD.at(code=code)
        try:
            is_new = asked(lambda: self._client.set(key, "1", nx=True, ex=keys.ALERT_TOLD.ttl_s))
        except LiveStateUnavailableError as error:
            logger.error("alert_not_written code=%s text=%s error=%s", code, text, error)
            return False
        return alert(self._client, code, text) if is_new else True
