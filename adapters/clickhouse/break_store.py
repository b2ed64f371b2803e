"""Breaks, sign-offs and locks in ClickHouse: events are added, never changed; views say how things stand."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any

import sql
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.fill_rows import revision_of
from adapters.clickhouse.session_versions import next_version, versions_before
from trading.model.fills import CommissionFact, FillRevision, Source, Venue
from trading.ports.break_store import BreakStore
from trading.ports.live_state import LockScope
from trading.reconciliation.breaks import Break, BreakEvent, BreakKind, BreakState, Pass, Unit
from trading.reconciliation.locks import LockAction, LockEvent
from trading.reconciliation.records import Told
from trading.reconciliation.sign_off import SessionState, SignOff

FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2149, 1, 1)  # bounds of the column's type
EVENTS_PER_INSERT_MAX = 20_000
PLACES = Decimal(1).scaleb(-12)  # of the break's columns: an average price may have more
COPIED = (
    "account",
    "session",
    "instrument_id",
    "conid",
    "symbol",
    "underlying",
    "currency",
    "item_key",
    "ours",
    "theirs",
    "difference",
    "difference_base",
    "cause",
    "note",
)
BREAK_COLUMNS = (
    "venue",
    *COPIED,
    "kind",
    "unit",
    "evidence",
    "break_id",
    "sequence",
    "event_id",
    "state",
    "pass",
    "author",
    "event_at",
)
SIGN_OFF_COLUMNS = (
    "venue",
    "account",
    "session",
    "state",
    "pass",
    "run_id",
    "statement_sha256",
    "breaks_open",
    "breaks_explained",
    "largest_open_base",
    "author",
    "version",
    "decided_at",
)
LOCK_COLUMNS = (
    "venue",
    "account",
    "lock_id",
    "sequence",
    "action",
    "scope",
    "scope_key",
    "session",
    "break_id",
    "size_base",
    "reason",
    "author",
    "event_at",
)


class ClickHouseBreakStore(BreakStore):
    """The port on a real or embedded server."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def told(self, venue: Venue, account: str, session: date) -> Told:
        """Return every revision and fee that any source told of a session."""
        return self.told_of(venue, account, [session])[session]

    def told_of(self, venue: Venue, account: str, sessions: Collection[date]) -> Mapping[date, Told]:
        """Return what was told of several sessions, by two questions."""
        asked = {"venue": str(venue), "account": account, "sessions": sorted(sessions)}
        revisions: dict[date, list[FillRevision]] = {session: [] for session in sessions}
        told_in: dict[str, set[date]] = {}
        for row in self._warehouse.rows(sql.query("told_revisions"), asked) if sessions else ():
            revisions[row["session"]].append(revision_of(row))
            told_in.setdefault(row["fill_id"], set()).add(row["session"])
        fees: dict[date, list[CommissionFact]] = {session: [] for session in sessions}
        for row in self._warehouse.rows(sql.query("told_fees"), asked) if told_in else ():
            for session in told_in.get(row["fill_id"], ()):
                fees[session].append(_fee_of(row, session))
        return {session: Told(revisions=revisions[session], fees=fees[session]) for session in sessions}

    def standing(self, venue: Venue, account: str, session: date) -> Mapping[str, BreakEvent]:
        """Return the newest event of every break of a session."""
        asked = {"venue": str(venue), "account": account, "session": session}
        rows = self._warehouse.rows(sql.query("breaks_of_session"), asked)
        return {row["break_id"]: _event_of(row) for row in rows}

    def breaks(
        self,
        *,
        venue: Venue | None = None,
        account: str | None = None,
        start: date | None = None,
        end: date | None = None,
        states: Collection[BreakState] = (),
    ) -> Sequence[BreakEvent]:
        """Return breaks as they stand."""
        return self._found(
            venue=str(venue or ""),
            account=account or "",
            start=start or FIRST_DAY,
            end=end or LAST_DAY,
            states=[str(state) for state in states],
        )

    def find(self, break_id: str) -> BreakEvent | None:
        """Return a break as it stands."""
        found = self._found(break_id=break_id)
        return found[0] if found and break_id else None

    def history(self, break_id: str) -> Sequence[BreakEvent]:
        """Return every event of a break, oldest first."""
        rows = self._warehouse.rows(sql.query("break_history"), {"break_id": break_id})
        return [_event_of(row) for row in rows]

    def append(self, events: Sequence[BreakEvent]) -> None:
        """Add events."""
        for start in range(0, len(events), EVENTS_PER_INSERT_MAX):
            part = [_event_cells(event) for event in events[start : start + EVENTS_PER_INSERT_MAX]]
            token = _token(event.event_id for event in events[start : start + EVENTS_PER_INSERT_MAX])
            self._warehouse.insert("core.break_events", BREAK_COLUMNS, part, token=f"breaks-{token}")

    def sign_off(self, venue: Venue, account: str, session: date) -> SignOff | None:
        """Return the newest word on a session."""
        found = self._sign_offs(str(venue), account, session, session)
        return found[0] if found else None

    def sign_offs(self, venue: Venue | None = None, account: str | None = None) -> Sequence[SignOff]:
        """Return the newest word on every session."""
        return self._sign_offs(str(venue or ""), account or "", FIRST_DAY, LAST_DAY)

    def has_signed_off(self, venue: Venue, account: str) -> bool:
        """Whether any session of the account was ever reconciled."""
        asked = {"venue": str(venue), "account": account}
        return bool(self._warehouse.value(sql.query("sign_offs_ever"), asked))

    def put_sign_offs(self, words: Sequence[SignOff]) -> None:
        """Set the words on several sessions."""
        for start in range(0, len(words), EVENTS_PER_INSERT_MAX):
            told = words[start : start + EVENTS_PER_INSERT_MAX]
            keys = [(word.venue, word.account, word.session) for word in told]
            before = versions_before(self._warehouse, "sign_off_versions", keys)
            part = [
                _word_cells(word, next_version(word.decided_at, before.get(key)))
                for key, word in zip(keys, told, strict=True)
            ]
            token = _token(str(cell) for cells in part for cell in cells)
            self._warehouse.insert(
                "core.sign_off_versions", SIGN_OFF_COLUMNS, part, token=f"sign-off-{token}"
            )

    def locks(self, break_ids: Collection[str] | None = None) -> Sequence[LockEvent]:
        """Return the newest event of every lock."""
        if break_ids is not None and not break_ids:
            return []
        asked = {"break_ids": sorted(break_ids or ())}
        return [_lock_of(row) for row in self._warehouse.rows(sql.query("locks_found"), asked)]

    def append_locks(self, events: Sequence[LockEvent]) -> None:
        """Add lock events."""
        cells = [_lock_cells(event) for event in events]
        token = _token(f"{event.lock_id}{event.sequence}{event.action}{event.event_at}" for event in events)
        self._warehouse.insert("core.lock_events", LOCK_COLUMNS, cells, token=f"locks-{token}")

    def _found(self, **asked: object) -> list[BreakEvent]:
        everything: dict[str, object] = {
            "venue": "",
            "account": "",
            "start": FIRST_DAY,
            "end": LAST_DAY,
            "states": [],
            "break_id": "",
        }
        rows = self._warehouse.rows(sql.query("breaks_found"), {**everything, **asked})
        return [_event_of(row) for row in rows]

    def _sign_offs(self, venue: str, account: str, start: date, end: date) -> list[SignOff]:
        asked = {"venue": venue, "account": account, "start": start, "end": end}
        return [_sign_off_of(row) for row in self._warehouse.rows(sql.query("sign_offs_found"), asked)]


def _fee_of(row: Mapping[str, Any], session: date) -> CommissionFact:
    copied = ("account", "commission_key", "fill_id", "amount", "currency")
    return CommissionFact(
        venue=Venue(row["venue"]),
        source=Source(row["source"]),
        session=session,
        **{name: row[name] for name in copied},
    )


def _word_cells(word: SignOff, version: int) -> list[object]:
    return [
        str(word.venue),
        word.account,
        word.session,
        str(word.state),
        str(word.made_in or ""),
        word.run_id,
        word.statement_sha256,
        word.breaks_open,
        word.breaks_explained,
        word.largest_open_base,
        word.author,
        version,
        word.decided_at,
    ]


def _event_cells(event: BreakEvent) -> list[object]:
    found = event.found
    fitted = {name: _fitted(getattr(found, name)) for name in ("ours", "theirs", "difference")}
    return [
        str(found.venue),
        *(fitted.get(name, getattr(found, name)) for name in COPIED),
        str(found.kind),
        str(found.unit),
        list(found.evidence),
        event.break_id,
        event.sequence,
        event.event_id,
        str(event.state),
        str(event.made_in),
        event.author,
        event.event_at,
    ]


def _fitted(value: Decimal | None) -> Decimal | None:
    return None if value is None else value.quantize(PLACES)


def _event_of(row: Mapping[str, Any]) -> BreakEvent:
    found = Break(
        venue=Venue(row["venue"]),
        kind=BreakKind(row["kind"]),
        unit=Unit(row["unit"]),
        evidence=tuple(row["evidence"]),
        **{name: row[name] for name in COPIED},
    )
    return BreakEvent(
        found=found,
        sequence=row["sequence"],
        state=BreakState(row["state"]),
        made_in=Pass(row["pass"]),
        author=row["author"],
        event_at=row["event_at"],
    )


def _sign_off_of(row: Mapping[str, Any]) -> SignOff:
    copied = (
        "account",
        "session",
        "run_id",
        "statement_sha256",
        "breaks_open",
        "breaks_explained",
        "largest_open_base",
        "author",
        "decided_at",
    )
    return SignOff(
        venue=Venue(row["venue"]),
        state=SessionState(row["state"]),
        made_in=Pass(row["pass"]) if row["pass"] else None,
        **{name: row[name] for name in copied},
    )


def _lock_cells(event: LockEvent) -> list[object]:
    return [
        str(event.venue),
        event.account,
        event.lock_id,
        event.sequence,
        str(event.action),
        str(event.scope),
        event.scope_key,
        event.session,
        event.break_id,
        event.size_base,
        event.reason,
        event.author,
        event.event_at,
    ]


def _lock_of(row: Mapping[str, Any]) -> LockEvent:
    copied = (
        "account",
        "scope_key",
        "session",
        "break_id",
        "size_base",
        "reason",
        "author",
        "sequence",
        "event_at",
    )
    return LockEvent(
        venue=Venue(row["venue"]),
        scope=LockScope(row["scope"]),
        action=LockAction.SET if row["active"] else LockAction.LIFTED,
        **{name: row[name] for name in copied},
    )


def _token(parts: Iterable[str]) -> str:
    return sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
