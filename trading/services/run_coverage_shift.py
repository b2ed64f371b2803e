"""The coverage shift: ask the broker for its executions again and again, and say which hours nobody told.

A sweep goes through the broker session as a command with the shift's fencing number; the session's answer
goes the way of every event into the warehouse, and what it covers is read back from there. So this shift
holds no fills and knows no broker; it may die at any line, and the next one goes on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from trading.calendar import trading_session
from trading.model.broker import BrokerCommand, Outcome, Verb
from trading.model.fills import Venue
from trading.ports.broker_commands import FENCED_REASON, CommandQueue, CommandResult
from trading.ports.broker_events import BrokerEventStore
from trading.ports.clock import Clock
from trading.ports.live_state import LiveState
from trading.ports.position_record import PositionRecord
from trading.services.cover_session import SessionCoverage, broker_now, cover_session
from trading.services.run_shift import ShiftLostError, ShiftPlan, ShiftReport, Watch, run_shift

COMPONENT = "coverage"
SHARD = "ibkr"
SENDER = "coverage_shift"
ANSWER_WITHIN = timedelta(seconds=45)  # the gateway's slowest answer and its repetition
LOOKS_MAX = 200  # for the result of one sweep
LOOK_EVERY_S = 0.25
ACCOUNTS_AGE_MAX = timedelta(hours=1)  # an account that no answer named for so long is not listened to
SWEEPS_DUE = 2  # the last minutes, of so many sweeps, are not a hole yet
NO_RESULT = "no answer of the broker session"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageTools:
    """What the shift needs; `sweep_every` is in the broker's time, which goes `speed` times as fast."""

    commands: CommandQueue
    events: BrokerEventStore
    record: PositionRecord
    live_state: LiveState
    clock: Clock
    pause: Callable[[float], None]
    sweep_every: timedelta
    speed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """One step: what became of the sweep, and how the session is covered after it."""

    at: datetime
    broker_at: datetime
    outcome: Outcome | None
    reason: str
    took: timedelta
    coverage: Sequence[SessionCoverage]

    @property
    def holes(self) -> int:
        """Holes of all accounts."""
        return sum(len(item.holes) for item in self.coverage)


def run_coverage_shift(
    tools: CoverageTools, owner: str, deadline: datetime, report: Callable[[Sweep], None]
) -> ShiftReport:
    """Sweep until the deadline; `report` gets every step."""
    plan = ShiftPlan(
        component=COMPONENT,
        shard=SHARD,
        owner=owner,
        deadline=deadline,
        every=max(tools.sweep_every / tools.speed, timedelta(seconds=1)),
    )
    return run_shift(
        plan, tools.live_state, tools.clock, tools.pause, lambda watch: report(sweep_once(tools, watch))
    )


def sweep_once(tools: CoverageTools, watch: Watch) -> Sweep:
    """Send a sweep, wait for what becomes of it, look at the session."""
    began = tools.clock.now()
    result = _swept(tools, watch, began)
    if result is not None and result.outcome is Outcome.REFUSED and result.reason == FENCED_REASON:
        raise ShiftLostError(f"fencing {watch.lease.fencing}: {result.reason}")
    now = tools.clock.now()
    broker_at = broker_now(tools.events.clock(), now, tools.speed)
    return Sweep(
        at=now,
        broker_at=broker_at,
        outcome=result.outcome if result else None,
        reason=result.reason if result else NO_RESULT,
        took=now - began,
        coverage=coverage_now(tools.events, tools.record, now, broker_at, tools.sweep_every),
    )


def coverage_now(
    events: BrokerEventStore,
    record: PositionRecord,
    now: datetime,
    broker_at: datetime,
    sweep_every: timedelta,
) -> Sequence[SessionCoverage]:
    """The broker's session as it is covered, for every account that lately answered."""
    accounts = sorted(record.answers(Venue.IBKR, now - ACCOUNTS_AGE_MAX))
    upto = broker_at - SWEEPS_DUE * sweep_every
    return cover_session(events, Venue.IBKR, accounts, trading_session(broker_at), upto)


def _swept(tools: CoverageTools, watch: Watch, began: datetime) -> CommandResult | None:
    command = BrokerCommand(
        command_id=f"{SENDER}:{watch.lease.fencing}:{began:%Y%m%dT%H%M%S%f}",
        verb=Verb.SWEEP,
        sender=SENDER,
        fencing=watch.lease.fencing,
        issued_at=began,
        valid_until=began + ANSWER_WITHIN,
    )
    result = tools.commands.send(command)
    for _ in range(LOOKS_MAX):
        if result is not None or tools.clock.now() >= command.valid_until:
            break
        watch.wait(LOOK_EVERY_S)
        result = tools.commands.result(command.command_id)
    return result
