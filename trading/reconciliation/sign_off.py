"""The state of one session of one account: whether its P&L may be claimed, and on whose word."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from trading.model.fills import Venue
from trading.reconciliation.breaks import THE_CHECK, BreakEvent, BreakState, Pass


class SessionState(StrEnum):
    """awaiting_statement claims and locks nothing; only a final pass without open breaks signs off."""

    AWAITING_STATEMENT = "awaiting_statement"
    PROVISIONAL = "provisional"
    RECONCILED = "reconciled"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOff:
    """The newest word on one session of one account; `largest_open_base` is None where nothing is open or a
    size is unknown.
    """

    venue: Venue
    account: str
    session: date
    state: SessionState
    made_in: Pass | None
    run_id: str
    statement_sha256: str
    breaks_open: int
    breaks_explained: int
    largest_open_base: Decimal | None
    author: str
    decided_at: datetime

    def says_the_same(self, other: "SignOff | None") -> bool:
        """Whether another word differs in nothing but its time."""
        return other is not None and _words(self) == _words(other)


def sign_off_of(
    venue: Venue,
    account: str,
    session: date,
    breaks: Iterable[BreakEvent],
    *,
    made_in: Pass | None,
    run_id: str,
    statement_sha256: str,
    at: datetime,
) -> SignOff:
    """Decide the state of a session from its breaks as they stand; `made_in` None means that no broker's
    word is there. What the live look found is about a moment, not about the session: it counts for nothing.
    """
    standing = [event for event in breaks if event.made_in is not Pass.LIVE]
    still_open = [event for event in standing if event.state is BreakState.OPEN]
    sizes = [event.found.difference_base for event in still_open]
    return SignOff(
        venue=venue,
        account=account,
        session=session,
        state=_state(made_in, bool(still_open)),
        made_in=made_in,
        run_id=run_id,
        statement_sha256=statement_sha256,
        breaks_open=len(still_open),
        breaks_explained=sum(event.state is BreakState.EXPLAINED for event in standing),
        largest_open_base=None
        if None in sizes
        else max((size for size in sizes if size is not None), default=None),
        author=THE_CHECK,
        decided_at=at,
    )


def _state(made_in: Pass | None, is_broken: bool) -> SessionState:
    if made_in is None:
        return SessionState.AWAITING_STATEMENT
    if made_in is Pass.PROVISIONAL:
        return SessionState.PROVISIONAL
    return SessionState.BROKEN if is_broken else SessionState.RECONCILED


def _words(word: SignOff) -> tuple[object, ...]:
    return (
        word.venue,
        word.account,
        word.session,
        word.state,
        word.made_in,
        word.run_id,
        word.statement_sha256,
        word.breaks_open,
        word.breaks_explained,
        word.largest_open_base,
    )
