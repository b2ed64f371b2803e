"""Land files from the inbox: which are ready, what is in them, what became of them.

What can go wrong: a file is read while it is still being written (so it must stand still, and is taken by its
hash), a kill in between (so the record is written last, and every step may be repeated), one bad file that
holds up the others (so it is refused with its reason, and the next one is taken; a group that the warehouse
refuses is stored file by file).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from trading.calendar import session_on_or_after, session_on_or_before
from trading.errors import PermanentError, WarehouseError
from trading.ports.clock import Clock
from trading.ports.fill_store import BatchReport
from trading.ports.inbox import (
    FileChangedError,
    FileReader,
    FileRefusedError,
    FileStamp,
    Inbox,
    InboxFile,
    Landing,
    LandingLog,
    LandingState,
    ReadFile,
)
from trading.ports.model_runner import SessionRange
from trading.services.ingest_fills import (
    IngestStores,
    SourceFile,
    in_groups,
    ingest_fills,
    ingest_together,
)

Stamps = Mapping[str, FileStamp]
REASON_CHARS_MAX = 500
STUMBLES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """Files that stood still and are new, and what the folder looks like now (to be compared at the next
    look).
    """

    files: tuple[InboxFile, ...]
    stamps: Stamps


@dataclass(frozen=True, slots=True, kw_only=True)
class LandingTools:
    """The ports that landing needs, and those of ingestion."""

    inbox: Inbox
    reader: FileReader
    log: LandingLog
    clock: Clock
    stores: IngestStores


@dataclass(frozen=True, slots=True, kw_only=True)
class LandingTotals:
    """Sums over several landings or reports."""

    total_rows: int
    new_rows: int
    duplicates_filtered: int
    corrected: int
    rejected: int
    first_fill_at: datetime | None
    last_fill_at: datetime | None

    def age_seconds(self, now: datetime) -> float | None:
        """Seconds from the newest fill to now; None without a fill."""
        return (now - self.last_fill_at).total_seconds() if self.last_fill_at else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Readable:
    """A file that was read, on its way to the stores."""

    base: Landing
    found: ReadFile

    @property
    def source(self) -> SourceFile:
        """What it says, as ingestion takes it."""
        return SourceFile(
            name=self.base.file.name, batches=self.found.batches, statements=self.found.statements
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A file that can never be read as it is, and why."""

    landing: Landing
    cause: PermanentError


def find_pending(inbox: Inbox, log: LandingLog, clock: Clock, before: Stamps, files_max: int) -> Pending:
    """Return what is ready: unchanged since the last look and of a content that never landed.

    A file that must not be read is recorded as refused at once, by the hash of its name and stamp.
    """
    stamps = inbox.stamps()
    still = [name for name, stamp in sorted(stamps.items()) if before.get(name) == stamp]
    identified = [_identified(inbox, name, stamps[name]) for name in still]
    known = log.latest({file.sha256 for file, _ in identified})
    fresh = [(file, reason) for file, reason in identified if file.sha256 not in known]
    refused = [_refusal(file, reason, clock) for file, reason in fresh if reason]
    if refused:
        log.record(refused)
    first_of_each = {file.sha256: file for file, reason in reversed(fresh) if not reason}
    ready = sorted(first_of_each.values(), key=lambda file: file.name)
    return Pending(files=tuple(ready[:files_max]), stamps=stamps)


def land(files: Sequence[InboxFile], tools: LandingTools) -> tuple[Landing, ...]:
    """Archive, read and store each file, and say what became of it; a changed file waits for the next look.

    A file that the warehouse refuses does not hold up the others: they land, then its error is raised.
    """
    landings: list[Landing] = []
    errors: list[WarehouseError] = []
    for group in in_groups(_read_files(files, tools), _rows):
        landed = _landed(group, tools, errors)
        tools.log.record(landed)
        landings += landed
    if errors:
        raise errors[0]
    return tuple(landings)


def read_again(sessions: SessionRange, tools: LandingTools) -> tuple[Landing, ...]:
    """Store once more what the archived files of these sessions say; nothing changes where nothing was
    lost.
    """
    covering = tools.log.covering(sessions.first, sessions.last)
    known = (Readable(base=item, found=_read(item.file, tools)) for item in covering)
    landings: list[Landing] = []
    errors: list[WarehouseError] = []
    for group in in_groups(known, _rows):
        landings += _landed(group, tools, errors)
    if errors:
        raise errors[0]
    return tuple(landings)


def mark_reconciled(
    sessions: SessionRange, landed: Sequence[Landing], tools: LandingTools
) -> tuple[str, ...]:
    """Record that files whose sessions lie in the range are reconciled; returns their names.

    landed: what was unreconciled before the reconciliation began; a file that landed meanwhile keeps waiting.
    """
    done = [item for item in landed if _lies_in(item, sessions)]
    now = tools.clock.now()
    tools.log.record([replace(item, state=LandingState.RECONCILED, at=now) for item in done])
    return tuple(item.file.name for item in done)


def sessions_to_close(landed: Sequence[Landing]) -> SessionRange | None:
    """Return the sessions that landed files touch, as one range; None where nothing waits."""
    firsts = [item.first_session for item in landed if item.first_session]
    lasts = [item.last_session for item in landed if item.last_session]
    return SessionRange(first=min(firsts), last=max(lasts)) if firsts and lasts else None


def total_of(reports: Sequence[BatchReport]) -> LandingTotals:
    """Add up what several batches did."""
    return LandingTotals(
        total_rows=sum(report.total for report in reports),
        new_rows=sum(report.new for report in reports),
        duplicates_filtered=sum(report.duplicates for report in reports),
        corrected=sum(report.corrected for report in reports),
        rejected=sum(report.rejected for report in reports),
        first_fill_at=min((item.first_fill_at for item in reports if item.first_fill_at), default=None),
        last_fill_at=max((item.last_fill_at for item in reports if item.last_fill_at), default=None),
    )


def total_of_files(landings: Sequence[Landing]) -> LandingTotals:
    """Add up what several files brought."""
    return LandingTotals(
        total_rows=sum(item.total_rows for item in landings),
        new_rows=sum(item.new_rows for item in landings),
        duplicates_filtered=sum(item.duplicates_filtered for item in landings),
        corrected=sum(item.corrected for item in landings),
        rejected=sum(item.rejected for item in landings),
        first_fill_at=min((item.first_fill_at for item in landings if item.first_fill_at), default=None),
        last_fill_at=max((item.last_fill_at for item in landings if item.last_fill_at), default=None),
    )


def _identified(inbox: Inbox, name: str, stamp: FileStamp) -> tuple[InboxFile, str]:
    try:
        return inbox.identify(name), ""
    except FileRefusedError as refusal:
        key = f"unread:{name}:{stamp.size_bytes}:{stamp.modified_ns}"
        return InboxFile(name=name, sha256=key, size_bytes=stamp.size_bytes), str(refusal)


def _refusal(file: InboxFile, reason: str, clock: Clock) -> Landing:
    return Landing(file=file, state=LandingState.REFUSED, at=clock.now(), reason=reason[:REASON_CHARS_MAX])


def _read_files(files: Sequence[InboxFile], tools: LandingTools) -> Iterator[Readable | Refused]:
    """Archive and read one file after the other; one that changed meanwhile is left out."""
    for file in files:
        try:
            archived_as = tools.inbox.archive(file)
        except FileChangedError:
            continue
        base = Landing(file=file, state=LandingState.LANDED, at=tools.clock.now(), archived_as=archived_as)
        try:
            yield Readable(base=base, found=_read(file, tools))
        except FileChangedError:
            continue
        except PermanentError as refusal:
            refused = replace(_refusal(file, str(refusal), tools.clock), archived_as=archived_as)
            yield Refused(landing=refused, cause=refusal)


def _rows(item: Readable | Refused) -> int:
    return item.source.rows if isinstance(item, Readable) else 0


def _landed(
    group: Sequence[Readable | Refused], tools: LandingTools, errors: list[WarehouseError]
) -> list[Landing]:
    """Store a group at once; where the warehouse refuses that, one file after the other. A file that it
    refuses alone is left out, and its error added to `errors`.
    """
    readable = [item for item in group if isinstance(item, Readable)]
    try:
        stored = _stored(readable, tools)
    except WarehouseError:
        stored = {}
    landings = []
    for item in group:
        try:
            if isinstance(item, Refused):
                landings.append(_with_dead_letter(item, tools))
            else:
                file = item.base.file
                landings.append(stored.get(file) or _stored([item], tools)[file])
        except WarehouseError as error:
            errors.append(error)
    return landings


def _with_dead_letter(item: Refused, tools: LandingTools) -> Landing:
    """Store the refused rows of a refused file: that is where a person looks, whoever took the file."""
    refused = item.landing
    batches = item.cause.batches if isinstance(item.cause, FileRefusedError) else ()
    if not batches:
        return refused
    report = ingest_fills([SourceFile(name=refused.file.name, batches=batches)], tools.stores)
    return replace(
        refused,
        venue=",".join(sorted({str(batch.venue) for batch in batches})),
        total_rows=report.count("total"),
        rejected=report.count("rejected"),
    )


def _stored(items: Sequence[Readable], tools: LandingTools) -> dict[InboxFile, Landing]:
    """Store files as one attempt, and say what became of each."""
    if not items:
        return {}
    reports = ingest_together([item.source for item in items], tools.stores)
    now = tools.clock.now()
    return {
        item.base.file: _landing(item, report.batches, now)
        for item, report in zip(items, reports, strict=True)
    }


def _landing(item: Readable, reports: Sequence[BatchReport], now: datetime) -> Landing:
    found = item.found
    sessions = _sessions(found, reports)
    totals = total_of(reports)
    return replace(
        item.base,
        at=now,
        venue=",".join(sorted({str(batch.venue) for batch in found.batches})),
        kind=",".join(sorted(_kinds(found))),
        accounts=tuple(sorted(_accounts(found))),
        first_session=min(sessions, default=None),
        last_session=max(sessions, default=None),
        total_rows=totals.total_rows,
        new_rows=totals.new_rows,
        duplicates_filtered=totals.duplicates_filtered,
        corrected=totals.corrected,
        rejected=totals.rejected,
        first_fill_at=totals.first_fill_at,
        last_fill_at=totals.last_fill_at,
    )


def _read(file: InboxFile, tools: LandingTools) -> ReadFile:
    """Read the archived copy; a reader that stumbles refuses the one file, not its whole batch."""
    try:
        return tools.reader.read(tools.inbox.archived(file.sha256), file.name)
    except STUMBLES as cause:
        raise FileRefusedError(f"{file.name}: cannot be read: {type(cause).__name__}: {cause}") from cause


def _kinds(found: ReadFile) -> set[str]:
    if found.statements:
        return {str(statement.kind) for statement in found.statements}
    return {str(batch.source) for batch in found.batches}


def _accounts(found: ReadFile) -> set[str]:
    named = {fill.account for batch in found.batches for fill in batch.fills}
    return named | {statement.account for statement in found.statements if statement.account}


def _sessions(found: ReadFile, reports: Sequence[BatchReport]) -> list[date]:
    """The sessions that a file speaks of: those of its fills and fees, and the days that a statement
    covers.
    """
    sessions = [session for report in reports for _, session in report.touched]
    sessions += [fill.session for batch in found.batches for fill in batch.fills]
    for statement in found.statements:
        sessions += [session_on_or_after(statement.from_date), session_on_or_before(statement.to_date)]
    return sessions


def _lies_in(item: Landing, sessions: SessionRange) -> bool:
    if item.first_session is None or item.last_session is None:
        return True
    return sessions.first <= item.first_session and item.last_session <= sessions.last
