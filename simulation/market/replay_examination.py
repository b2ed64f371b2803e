"""What is odd in a recording before anybody plays it: named, never repaired.

Open interest and end-of-day chains are published under yesterday's strikes on the morning of a split; some
vendors list a series under both. Such series are not listed here, since nobody quoted or traded them. Keep
out: rows that cannot be read, which are named where they are read.
"""

from collections.abc import Iterable
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from simulation.market.lean import where_of
from simulation.market.lean_names import Kind, Series
from simulation.market.replay_recording import Recording

CENT = Decimal("0.01")
OLD_STRIKES = "series with open interest under strikes of before the split"
UNSEEN_INTEREST = "series with open interest that nobody quotes or trades"
LISTED_TWICE = "series listed under their old and their new strike"
UNSEEN_CHAIN = "series of the end-of-day chain that nobody quotes or trades"


def examine(recording: Recording, sessions: Iterable[date]) -> None:
    """Name what is odd in the sessions' files."""
    folder = recording.folder
    for session in sessions:
        seen = {key for kind, key, day in folder.places if day == session and kind is not Kind.OPEN_INTEREST}
        for (kind, key, day), source in folder.places.items():
            if kind is Kind.OPEN_INTEREST and day == session and key not in seen:
                what = UNSEEN_INTEREST
                if _split_strike(recording, folder.series[key], session) in seen:
                    what = OLD_STRIKES
                folder.remarks.note(where_of(source.member), what, key)
        _examine_chain(recording, session, seen)


def _examine_chain(recording: Recording, session: date, seen: set[str]) -> None:
    path = recording.folder.universes.get(session)
    if path is None:
        return
    where = f"{path.parent.name}/{path.name}"
    roots = sorted({series.root for series in recording.folder.series.values()})
    chain = [
        Series(root=root, expiry=expiry, right=right, strike=strike)
        for root in roots[:1]
        for expiry, strike, right in recording.chain(session)
    ]
    listed = {series.symbol for series in chain}
    for series in chain:
        if _split_strike(recording, series, session) in listed:
            recording.folder.remarks.note(where, LISTED_TWICE, series.symbol)
        elif series.symbol not in seen and len(roots) == 1:
            recording.folder.remarks.note(where, UNSEEN_CHAIN, series.symbol)


def _split_strike(recording: Recording, series: Series, session: date) -> str | None:
    """The series' symbol after the split of this session; None when there was none."""
    ratio = recording.folder.split(series.underlying, session)
    if ratio is None:
        return None
    strike = (series.strike / Decimal(round(ratio))).quantize(CENT, ROUND_HALF_EVEN)
    return Series(root=series.root, expiry=series.expiry, right=series.right, strike=strike).symbol
