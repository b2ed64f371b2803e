"""The machine's clock behind the Clock port."""

from datetime import UTC, datetime

from trading.ports.clock import Clock


class SystemClock(Clock):
    """The time of this machine."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.now(UTC)
