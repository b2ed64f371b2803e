"""Subscriptions to bars: five seconds that are over, and the bar of now behind a historical request."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from simulation.tws.replies import Message
from simulation.tws.replies import history as say
from simulation.tws.subscriptions import Subscription

if TYPE_CHECKING:
    from simulation.tws.state import GatewayState

FIVE_SECONDS: Final = timedelta(seconds=5)
BARS_AT_ONCE_MAX = 720  # an hour of five-second bars, when the clock jumped


class RealTimeBarFeed(Subscription):
    """Each five seconds when they are over, starting with those that end next."""

    def __init__(self, request_id: int, conid: int, what: str, now: datetime) -> None:
        super().__init__()
        self.request_id, self.conid, self.what = request_id, conid, what
        self._told_until = _floor(now, 5)
        self.due_at = self._told_until + FIVE_SECONDS

    def news(self, state: "GatewayState", now: datetime) -> list[Message]:
        end = _floor(now, 5)
        seconds = int((end - self._told_until).total_seconds())
        self._told_until, self.due_at = end, end + FIVE_SECONDS
        if seconds <= 0 or state.faults.silent_market:
            return []
        wanted = min(seconds, BARS_AT_ONCE_MAX * 5)
        bars = state.broker.bars(self.conid, end, wanted, 5, self.what)
        return [say.real_time_bar(self.request_id, bar) for bar in bars]


class BarOfNow(Subscription):
    """The bar that is not over yet, every five seconds."""

    def __init__(self, request_id: int, conid: int, what: str, form: say.BarForm, now: datetime) -> None:
        super().__init__()
        self.request_id, self.conid, self.what, self.form = request_id, conid, what, form
        self.due_at = _floor(now, 5) + FIVE_SECONDS

    def news(self, state: "GatewayState", now: datetime) -> list[Message]:
        self.due_at = _floor(now, 5) + FIVE_SECONDS
        if state.faults.silent_market:
            return []
        bars = state.broker.bars(self.conid, now, 2 * self.form.bar_s, self.form.bar_s, self.what)
        return [say.bar_update(self.request_id, bar, self.form) for bar in bars[-1:]]


def _floor(at: datetime, seconds: int) -> datetime:
    whole = int(at.timestamp()) // seconds * seconds
    return datetime.fromtimestamp(whole, UTC)
