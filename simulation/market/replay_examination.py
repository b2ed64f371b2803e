"""What is odd in a recording before anybody plays it: named, never repaired.

Open interest and end-of-day chains are published under yesterday's strikes on the morning of a split; some
vendors list a series under both. Such series are not listed here, since nobody quoted or traded them. Keep
out: rows that cannot be read, which are named where they are read.
"""

from collections.abc import Iterable
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from simulation.market.lean import shown, where_of
from simulation.market.lean_names import Kind, Series
from simulation.market.replay_recording import Recording

CENT = Decimal("0.01")
SHARES_MOST = 100  # of a split, new ones for old ones or the other way round; factors are rounded
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
    folder = recording.folder
    roots = sorted({series.root for series in folder.series.values()})
    for root in roots:
        path = folder.universe_path(root, session)
        if path is None:
            continue
        chain = [
            Series(root=root, expiry=expiry, right=right, strike=strike)
            for expiry, strike, right in recording.chain(root, session)
        ]
        listed = {series.symbol for series in chain}
        is_whole = len(roots) == 1 or (root, session) in folder.universes  # not shared with another class
        for series in chain:
            if _split_strike(recording, series, session) in listed:
                folder.remarks.note(shown(path), LISTED_TWICE, series.symbol)
            elif is_whole and series.symbol not in seen:
                folder.remarks.note(shown(path), UNSEEN_CHAIN, series.symbol)


def _split_strike(recording: Recording, series: Series, session: date) -> str | None:
    """The series' symbol after the split of this session; None when there was none."""
    told = recording.folder.split(series.underlying, session)
    ratio = Fraction(1) if told is None else _ratio(Fraction(told))
    if ratio == 1:  # none, or a dividend in shares, too small to move strikes
        return None
    strike = (series.strike * ratio.denominator / ratio.numerator).quantize(CENT, ROUND_HALF_EVEN)
    return Series(root=series.root, expiry=series.expiry, right=series.right, strike=strike).symbol


def _ratio(factor: Fraction) -> Fraction:
    """The ratio of small numbers that a rounded factor means; of a reverse split by its inverse."""
    if factor >= 1:
        return factor.limit_denominator(SHARES_MOST)
    return 1 / (1 / factor).limit_denominator(SHARES_MOST)
