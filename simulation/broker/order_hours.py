"""When an order can work: all its contracts open, until the first of them closes, no longer than its date."""

from dataclasses import dataclass
from datetime import datetime

from simulation.broker.orders import Working
from simulation.market.world import World
from trading.model.times import NEW_YORK


@dataclass(frozen=True, slots=True)
class OrderHours:
    """Hours of orders over the hours of their contracts."""

    world: World

    def is_open(self, order: Working, now: datetime) -> bool:
        """Whether the order can work now; only limit orders may work outside regular hours."""
        outside = order.ticket.outside_rth and order.ticket.order_type == "LMT"
        return all(self.world.hours.is_open(part.contract, now, outside=outside) for part in order.parts)

    def opens(self, order: Working, now: datetime) -> datetime:
        """When it can work next."""
        return max(self.world.hours.next_open(part.contract, now) for part in order.parts)

    def closes(self, order: Working, now: datetime) -> datetime:
        """The end of the session in which the order works: this one, or the next when this one is over."""
        hours, session = self.world.hours, self.world.hours.session_of(now)
        closes = min(hours.of(part.contract, session).closes for part in order.parts)
        if now < closes:
            return closes
        later = self.world.calendar.next_session(session)
        return min(hours.of(part.contract, later).closes for part in order.parts)

    def is_over(self, order: Working, at: datetime) -> bool:
        """Whether the order may not go on to another session: its date or a contract has ended."""
        if order.ticket.tif == "GTD":
            day = order.ticket.extras.get("goodTillDate", "")[:8]
            if f"{at.astimezone(NEW_YORK):%Y%m%d}" >= day:
                return True
        return any(self.world.hours.is_over(part.contract, at) for part in order.parts)


def until_open(order: Working, opens: datetime) -> str:
    """The words of the notice that an order is held until the opening."""
    local = opens.astimezone(NEW_YORK)
    symbol = order.parts[0].contract.symbol
    return (
        f"Order Message:\n{order.ticket.action} {order.ticket.quantity} {symbol}\n"
        f"Warning: Your order will not be placed at the exchange until {local:%Y-%m-%d %H:%M:%S} US/Eastern."
    )
