"""Our positions beside the broker's, line by line, for people: what differs, why, and what is not decided.

The same record and the same comparison as the watch's; nothing is changed here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from trading.model.broker import BrokerPosition
from trading.model.fills import Venue
from trading.model.money import ZERO
from trading.reconciliation.breaks import BreakEvent, BreakKind
from trading.reconciliation.live_positions import (
    OurHoldings,
    OurPosition,
    PositionsAnswer,
    compare_live,
    key_of,
)
from trading.services.watch_positions import ANSWERS_AGE_MAX, STANDING, WatchTools


class Verdict(StrEnum):
    """What may be said of one contract now."""

    AGREES = "agrees"
    DIFFERS = "differs"
    UNDECIDED = "undecided"  # too few answers, or not quiet long enough
    UNASKED = "unasked"  # the broker told nothing of the account lately


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionLine:
    """One contract of one account on both sides; `theirs` is None where no complete answer is known.

    `state` and `cause` are the live break's, where one stands.
    """

    account: str
    instrument_id: str
    conid: int | None
    symbol: str
    ours: Decimal
    theirs: Decimal | None
    verdict: Verdict
    mark: Decimal | None
    asked_at: datetime | None
    state: str
    cause: str

    @property
    def difference(self) -> Decimal | None:
        """Ours less theirs."""
        return None if self.theirs is None else self.ours - self.theirs


def show_positions(tools: WatchTools, accounts: Sequence[str]) -> Sequence[PositionLine]:
    """Lines by account and contract; flat on both sides is left out unless it is a difference."""
    answers = tools.record.answers(Venue.IBKR, tools.clock.now() - ANSWERS_AGE_MAX)
    lines: list[PositionLine] = []
    for account in sorted({*accounts, *answers}):
        lines.extend(_account_lines(tools, account, answers.get(account, ())))
    return lines


def _account_lines(
    tools: WatchTools, account: str, answers: Sequence[PositionsAnswer]
) -> Sequence[PositionLine]:
    ours = tools.record.holdings(Venue.IBKR, account)
    found = compare_live(ours, answers, tools.quiet_period)
    differ = {item.key for item in found.differences}
    newest = answers[-1] if answers else None
    standing = _standing(tools, account)
    lines = []
    for key, mine, theirs in _both(ours, newest):
        quantities = (mine.quantity if mine else ZERO, theirs.quantity if theirs else ZERO)
        if not any(quantities) and key not in differ:
            continue
        event = standing.get(key)
        lines.append(
            PositionLine(
                account=account,
                instrument_id=_name(mine, theirs),
                conid=mine.conid if mine else (theirs.conid if theirs else None),
                symbol=mine.symbol if mine else (theirs.symbol if theirs else ""),
                ours=quantities[0],
                theirs=quantities[1] if newest else None,
                verdict=_verdict(key, newest, differ, found.undecided),
                mark=mine.mark if mine else None,
                asked_at=newest.asked_at if newest else None,
                state=event.state.value if event else "",
                cause=event.found.cause if event else "",
            )
        )
    return lines


def _both(
    ours: OurHoldings, newest: PositionsAnswer | None
) -> Sequence[tuple[str, OurPosition | None, BrokerPosition | None]]:
    held = {row.key: row for row in ours.positions}
    told = {key_of(row.conid, row.instrument_id): row for row in (newest.positions if newest else ())}
    pairs = [(key, held.get(key), told.get(key)) for key in held.keys() | told.keys()]
    return sorted(pairs, key=lambda pair: (_name(pair[1], pair[2]), pair[0]))


def _name(mine: OurPosition | None, theirs: BrokerPosition | None) -> str:
    if mine is not None:
        return mine.instrument_id
    return theirs.instrument_id if theirs is not None else ""


def _standing(tools: WatchTools, account: str) -> dict[str, BreakEvent]:
    events = tools.breaks.breaks(venue=Venue.IBKR, account=account, states=STANDING)
    return {
        key_of(event.found.conid, event.found.instrument_id): event
        for event in events
        if event.found.kind is BreakKind.LIVE_POSITION
    }


def _verdict(
    key: str, newest: PositionsAnswer | None, differ: set[str], undecided: frozenset[str]
) -> Verdict:
    if newest is None:
        return Verdict.UNASKED
    if key in undecided:
        return Verdict.UNDECIDED
    return Verdict.DIFFERS if key in differ else Verdict.AGREES
