"""Each closing of a period beside the broker's own realized figure, to the statement's decimals.

This is the proof by fill, finer than a break (which is per contract and day): what a lot made by FIFO alone
against what the broker says, and for the few that differ the name of what they are.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from trading.model.fills import Fill
from trading.model.money import ZERO
from trading.pnl.book import LotMatch, MatchKind
from trading.reconciliation.breaks import Break, BreakKind

STATEMENT_DECIMALS_AGREED = Decimal("0.00005")  # four decimals
PREMIUM_MOVED = "premium_moved_into_the_shares"
DELIVERS = (MatchKind.EXERCISE, MatchKind.ASSIGNMENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """One closing fill. `by_fifo` is what its lots made if it were a trade; `realized` is our figure after
    the rules.
    """

    fill: Fill
    by_fifo: Decimal
    realized: Decimal
    theirs: Decimal
    name: str

    @property
    def is_equal(self) -> bool:
        """FIFO alone gives the broker's figure to four decimals."""
        return abs(self.by_fifo - self.theirs) < STATEMENT_DECIMALS_AGREED


def compare_closings(
    fills: Iterable[Fill], matches: Iterable[LotMatch], breaks: Iterable[Break], asset_class: str
) -> Sequence[Closing]:
    """Set every closing of an asset class that the broker tells a figure for beside ours, with the name of a
    difference.
    """
    by_fill: dict[str, list[LotMatch]] = {}
    for match in matches:
        by_fill.setdefault(match.close_fill_id, []).append(match)
    causes = {
        (item.session, item.instrument_id): item.cause
        for item in breaks
        if item.kind is BreakKind.REALIZED and item.cause
    }
    return [
        _closing(fill, by_fill.get(fill.revision.fill_id, []), causes)
        for fill in fills
        if fill.revision.instrument.asset_class == asset_class
        and fill.revision.broker_realized is not None
        and "C" in fill.revision.open_close
    ]


def _closing(fill: Fill, matches: Sequence[LotMatch], causes: Mapping[tuple[date, str], str]) -> Closing:
    revision = fill.revision
    realized = sum((match.realized for match in matches), ZERO)
    moved = sum((match.premium_moved for match in matches if match.kind in DELIVERS), ZERO)
    cause = causes.get((revision.session, revision.instrument.instrument_id), "")
    return Closing(
        fill=fill,
        by_fifo=realized - moved,
        realized=realized,
        theirs=revision.broker_realized or ZERO,
        name=PREMIUM_MOVED if moved else cause,
    )
