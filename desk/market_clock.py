"""The market's clock as a process of the desk sees it: this machine's, or that of the simulated gateway.

The gateway is asked now and then and the clock runs on at its speed in between; it never goes back, so what
was dated stays in order. Until the gateway has answered once there is no time.
"""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from desk.gateway_control import GatewayControlError, show
from trading.settings import Settings

SYNC_S = 2.0

_log = logging.getLogger("desk.clock")

Status = Callable[[], dict[str, object]]


class SimulatedMarketClock:
    """The gateway's clock; `status` asks it. Not to be shared between threads that sync."""

    def __init__(self, status: Status, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._status, self._monotonic = status, monotonic
        self._base: datetime | None = None
        self._since, self._speed, self._asked_at = 0.0, 0.0, float("-inf")
        self._told: datetime | None = None

    def now(self) -> datetime | None:
        """The market's time, asked for again when that is due; None before the first answer."""
        if self._monotonic() - self._asked_at >= SYNC_S:
            self._sync()
        if self._base is None:
            return None
        moment = self._base + timedelta(seconds=(self._monotonic() - self._since) * self._speed)
        self._told = moment if self._told is None else max(self._told, moment)
        return self._told

    def _sync(self) -> None:
        self._asked_at = self._monotonic()
        try:
            told = self._status()
            base = datetime.fromisoformat(str(told["now"])).astimezone(UTC)
            speed = told.get("speed")
        except (GatewayControlError, KeyError, ValueError) as error:
            if self._base is None:
                _log.warning("no market clock yet: %s", error)
            return
        self._base, self._since = base, self._monotonic()
        self._speed = float(speed) if isinstance(speed, int | float) else 0.0


def market_clock(settings: Settings) -> Callable[[], datetime | None]:
    """The clock that the market runs on."""
    if not settings.broker.simulated_clock:
        return lambda: datetime.now(UTC)
    port = settings.gateway.control_port
    return SimulatedMarketClock(lambda: show(port, "status")).now
