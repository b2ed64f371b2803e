"""Checks of the live capture: it said what the statement says, it has no holes, its clock is the broker's.

Each gives one quality result. What is only known later (a fill in an hour that nobody could hear, a hole that
tonight's statement closes) warns; what contradicts itself is an error.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import groupby

from trading.calendar import is_session
from trading.model.fills import Source, Venue
from trading.ports.broker_events import COVERING_SOURCES, BrokerEventStore
from trading.ports.clock import Clock
from trading.ports.live_audit import LiveAudit
from trading.ports.model_runner import SessionRange, Severity, TableName
from trading.ports.quality import QualityHistory, QualityResult, QualityRule
from trading.services.cover_session import SessionCoverage, broker_now, cover_session

FAULTS_MAX = 1_000
SESSIONS_MAX = 60  # account sessions of which holes are looked for in one check
SAMPLE_MAX = 5
LIVE_SOURCES = (Source.SAME_DAY,)
FILLS = TableName(database="core", table="fills")
COVERAGE = TableName(database="core", table="coverage")
ENTRIES = TableName(database="audit", table="outbox_entries")
LIVE_EQUALS_STATEMENT = QualityRule(
    name="live_equals_statement",
    table=FILLS,
    about=(
        "What was told live of a session is what its statement tells; a fill in an hour that nobody could "
        "hear only warns."
    ),
)
COVERAGE_HAS_NO_HOLES = QualityRule(
    name="coverage_has_no_holes",
    table=COVERAGE,
    about=(
        "Every trading hour of a session that was listened to was told completely; until its statement lands "
        "a hole warns."
    ),
)
CLOCK_IS_THE_BROKERS = QualityRule(
    name="clock_is_the_brokers",
    table=ENTRIES,
    about="The broker's clock shows what it should, within the setting broker.clock_skew_max_ms.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveCheckTools:
    """What the checks read; the last answers are not a hole yet for `due_within` of the broker's time."""

    audit: LiveAudit
    events: BrokerEventStore
    history: QualityHistory
    clock: Clock
    speed: int
    due_within: timedelta
    clock_skew_max_ms: int


def check_live_equals_statement(tools: LiveCheckTools, sessions: SessionRange | None) -> QualityResult:
    """Compare what was told live with the statements of the sessions."""
    faults = tools.audit.faults(sessions, FAULTS_MAX)
    is_excused = all(item.fault == "missing" and item.in_hole for item in faults)
    sample = [
        f"{item.account} {item.session} {item.fill_id}: {item.fault}"
        f"{', in a hole' if item.in_hole else ''}; {item.told}"
        for item in faults
    ]
    return _kept(tools, LIVE_EQUALS_STATEMENT, sample, sessions, warns=is_excused)


def check_coverage(tools: LiveCheckTools, sessions: SessionRange | None) -> QualityResult:
    """Look for hours that nobody told."""
    holes = [
        (item, hole, has_statement)
        for item, has_statement in cover_listened(tools, sessions)
        for hole in item.holes
    ]
    sample = [
        f"{item.account} {item.session}: {hole.start:%H:%M:%S} to {hole.end:%H:%M:%S} UTC"
        for item, hole, _ in holes
    ]
    is_awaited = not any(has_statement for _, _, has_statement in holes)
    return _kept(tools, COVERAGE_HAS_NO_HOLES, sample, sessions, warns=is_awaited)


def check_clock(tools: LiveCheckTools) -> QualityResult:
    """Judge the newest reading; without one there is no broker to disagree with."""
    reading = tools.events.clock()
    bound_ms = tools.clock_skew_max_ms * tools.speed
    sample = []
    if reading is not None and abs(reading.skew_ms) > bound_ms:
        sample = [
            f"{reading.skew_ms:+.0f} ms at {reading.heard_at:%Y-%m-%d %H:%M:%S} UTC, {bound_ms} allowed"
        ]
    return _kept(tools, CLOCK_IS_THE_BROKERS, sample, None, warns=False)


def holes_before_and_after(
    tools: LiveCheckTools, sessions: SessionRange | None
) -> tuple[Sequence[SessionCoverage], Sequence[SessionCoverage]]:
    """How the live capture alone covered the sessions, and how they are with what files told since."""
    before = cover_listened(tools, sessions, LIVE_SOURCES)
    return [item for item, _ in before], [item for item, _ in cover_listened(tools, sessions)]


def cover_listened(
    tools: LiveCheckTools, sessions: SessionRange | None, sources: Sequence[Source] = COVERING_SOURCES
) -> Sequence[tuple[SessionCoverage, bool]]:
    """The coverage of every account session that was listened to, and whether a statement has told it."""
    upto = broker_now(tools.events.clock(), tools.clock.now(), tools.speed) - tools.due_within
    told_of = (item for item in tools.audit.listened(sessions, SESSIONS_MAX) if is_session(item.session))
    listened = sorted(told_of, key=lambda item: item.session)
    found: list[tuple[SessionCoverage, bool]] = []
    for session, group in groupby(listened, key=lambda item: item.session):
        told = {item.account: item.has_statement for item in group}
        covered = cover_session(tools.events, Venue.IBKR, sorted(told), session, upto, sources)
        found.extend((item, told[item.account]) for item in covered)
    return found


def _kept(
    tools: LiveCheckTools,
    rule: QualityRule,
    sample: Sequence[str],
    sessions: SessionRange | None,
    *,
    warns: bool,
) -> QualityResult:
    severity = Severity.WARN if warns and sample else Severity.ERROR
    result = QualityResult(
        rule=replace(rule, severity=severity),
        passed=not sample,
        failing_rows=len(sample),
        sample=tuple(sample[:SAMPLE_MAX]),
    )
    tools.history.record([result], sessions, tools.clock.now())
    return result
