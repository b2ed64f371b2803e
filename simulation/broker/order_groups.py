"""One-cancels-all groups: who is in which, and how much a fill of one takes from the others."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import ROUND_CEILING, Decimal

from simulation.broker.model import Status
from simulation.broker.orders import DEFAULT_GROUP_TYPE, Working

CANCEL_OTHERS, CUT_OTHERS, CUT_OTHERS_LATE = 1, 2, 3


@dataclass(slots=True)
class OrderGroups:
    """Members of each account's groups; cuts of type 3 wait in `late` until the second is over."""

    members: dict[tuple[str, str], list[Working]] = field(default_factory=dict)
    late: list[tuple[Working, Decimal]] = field(default_factory=list)

    def join(self, order: Working) -> None:
        """Put an order into its group; children without one get their parent's permanent id, type 3."""
        group, kind = order.ticket.oca_group, order.ticket.oca_type
        if not group and order.parent is not None:
            group, kind = str(order.parent.perm_id), DEFAULT_GROUP_TYPE
        if not group:
            return
        order.oca_group, order.oca_type = group, kind or DEFAULT_GROUP_TYPE
        order.ticket = replace(order.ticket, oca_group=group, oca_type=order.oca_type)
        self.members.setdefault((order.ticket.account, group), []).append(order)

    def is_filled(self, order: Working) -> bool:
        """Whether a member of the group that the order wants to join has filled: the group is over."""
        found = self.members.get((order.ticket.account, order.ticket.oca_group), [])
        return any(member.status is Status.FILLED for member in found)

    def others(self, order: Working) -> Iterator[Working]:
        """Members that are not done, without the order itself."""
        found = self.members.get((order.ticket.account, order.oca_group), [])
        return (other for other in list(found) if other is not order and not other.status.is_done)

    def take_late(self) -> list[tuple[Working, Decimal]]:
        """The cuts that waited, taken out."""
        cuts, self.late = self.late, []
        return cuts


def left_after_cut(order: Working, other: Working, quantity: Decimal) -> Decimal:
    """What the other may still do after `order` filled a quantity: the same share less, rounded down.

    Nothing when the group cancels, or when the order is done: then the position is closed.
    """
    if order.oca_type == CANCEL_OTHERS or order.status is Status.FILLED:
        return Decimal(0)
    before = order.remaining + quantity
    share = (other.remaining * quantity / before).to_integral_value(ROUND_CEILING)
    return max(Decimal(0), other.remaining - share)
