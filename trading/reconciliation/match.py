"""Which of our fills is which of the broker's: by id, then, for those without one in common, by what they
are.

The second step ties (order, side, quantity, price, time), one to one: two equal partial fills stay two.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from trading.model.fills import Fill
from trading.pnl.book import instrument_id_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """The pairs, and what is left over on either side."""

    pairs: tuple[tuple[Fill, Fill], ...]
    only_ours: tuple[Fill, ...]
    only_theirs: tuple[Fill, ...]


def match_fills(ours: Sequence[Fill], theirs: Sequence[Fill]) -> Matched:
    """Pair fills by id, then by their terms."""
    by_id = {fill.revision.fill_id: fill for fill in theirs}
    pairs = [(fill, by_id[fill.revision.fill_id]) for fill in ours if fill.revision.fill_id in by_id]
    paired = {fill.revision.fill_id for fill, _ in pairs}
    ours_left = [fill for fill in ours if fill.revision.fill_id not in paired]
    theirs_left = [fill for fill in theirs if fill.revision.fill_id not in paired]
    if ours_left and theirs_left:
        more, ours_left, theirs_left = _match_terms(ours_left, theirs_left)
        pairs.extend(more)
    return Matched(pairs=tuple(pairs), only_ours=tuple(ours_left), only_theirs=tuple(theirs_left))


def twins(fill: Fill, others: Sequence[Fill]) -> tuple[Fill, ...]:
    """Fills with other ids that say the same: a fill booked twice looks like this, and so may two lawful
    ones.
    """
    terms = _terms(fill)
    return tuple(
        other
        for other in others
        if other.revision.fill_id != fill.revision.fill_id and _terms(other) == terms
    )


def _match_terms(
    ours: Sequence[Fill], theirs: Sequence[Fill]
) -> tuple[list[tuple[Fill, Fill]], list[Fill], list[Fill]]:
    waiting: dict[Hashable, list[Fill]] = {}
    for fill in theirs:
        waiting.setdefault(_terms(fill), []).append(fill)
    pairs: list[tuple[Fill, Fill]] = []
    left: list[Fill] = []
    for fill in ours:
        same = waiting.get(_terms(fill))
        if same:
            pairs.append((fill, same.pop(0)))
        else:
            left.append(fill)
    return pairs, left, [fill for fills in waiting.values() for fill in fills]


def _terms(fill: Fill) -> Hashable:
    revision = fill.revision
    return (
        instrument_id_of(fill),
        revision.order_id,
        revision.side,
        revision.quantity,
        revision.price,
        revision.fill_ts,
    )
