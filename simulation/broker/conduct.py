"""How the broker behaves: honest by default, every switch a documented fault of real brokers.

Mutable on purpose: the fault script, the control port and tests turn these switches while the world runs.
Keep out: what happens on the wire (simulation/tws/faults).
"""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A refusal to come: the code, its text, and the JSON that newer servers add to a rejection."""

    code: int
    text: str
    reject_json: str = ""


@dataclass(slots=True, kw_only=True)
class Conduct:
    """Switches; `next_` ones are used up by the next order or execution.

    commission_delay: reports come so much later, in the executions answer too. commission_never: no report
    of what is executed while the switch is on. commission_rebate: every option execution adds liquidity and
    is paid for. realized_unset: reports of closings lack their profit. cancel_takes: a cancel is pending for
    so long, and the order goes on working. filled_first: the status is told before its execution.
    execution_first: the execution is told before the order's opening. cumulative_off: added to what
    executions say was filled so far. statement_cash_off: added to the dollars that statements end with.
    statement_omits_last: statements lack the session's last trade.
    """

    commission_delay: timedelta = timedelta()
    commission_never: bool = False
    commission_rebate: bool = False
    realized_unset: bool = False
    cancel_takes: timedelta = timedelta()
    filled_first: bool = False
    execution_first: bool = False
    cumulative_off: Decimal = Decimal(0)
    what_if_unset: bool = False
    statement_cash_off: Decimal = Decimal(0)
    statement_omits_last: bool = False
    next_rejections: list[Refusal] = field(default_factory=list)
    next_notices: list[Refusal] = field(default_factory=list)
