"""Executions and their commission reports: the messages money is counted from."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum

from simulation.broker.model import CommissionView, ExecutionView
from simulation.tws.contracts import spelled
from simulation.tws.fields import double, plain
from simulation.tws.replies import Message
from trading.model.times import NEW_YORK

LIVE = -1  # the request id of an execution nobody asked for


class TimeForm(StrEnum):
    """The forms in which gateways print an execution's time, by their settings and age."""

    ZONED = "zoned"  # 20250415 19:38:31 US/Eastern
    BARE = "bare"  # 20250415  19:38:31, two blanks, the machine's zone (recorded at version 173)
    DASHED_UTC = "dashed_utc"  # 20250415-19:38:31


def time_text(at: datetime, form: TimeForm, zone: str = "US/Eastern") -> str:
    """A time as the gateway prints it; seconds, no fractions. `zone` is only the word that is printed."""
    if form is TimeForm.DASHED_UTC:
        return f"{at.astimezone(UTC):%Y%m%d-%H:%M:%S}"
    local = at.astimezone(NEW_YORK)
    if form is TimeForm.BARE:
        return f"{local:%Y%m%d  %H:%M:%S}"
    return f"{local:%Y%m%d %H:%M:%S} {zone}"


def execution(execution: ExecutionView, request_id: int, time_of: Callable[[datetime], str]) -> Message:
    """One fill, 31 texts."""
    contract = spelled(execution.contract)
    return [
        "11",
        str(request_id),
        str(execution.order_id),
        contract.conid,
        contract.symbol,
        contract.sec_type,
        contract.expiry,
        contract.strike_double,
        contract.right,
        contract.multiplier,
        execution.exchange,
        contract.currency,
        contract.local_symbol,
        contract.trading_class,
        execution.exec_id,
        time_of(execution.at),
        execution.account,
        execution.exchange,
        "BOT" if execution.side > 0 else "SLD",
        plain(execution.quantity),
        double(execution.price),
        str(execution.perm_id),
        str(execution.client_id),
        "0",
        plain(execution.cumulative),
        double(execution.average_price),
        execution.order_ref,
        "",
        "",
        "",
        str(execution.liquidity),
    ]


def executions_end(request_id: int) -> Message:
    """No more executions for this request."""
    return ["55", "1", str(request_id)]


def commission_report(report: CommissionView) -> Message:
    """What one execution cost; the realized profit is unset where the broker does not know it."""
    return [
        "59",
        "1",
        report.exec_id,
        double(report.amount),
        report.currency,
        double(report.realized),
        double(None),
        "",
    ]
