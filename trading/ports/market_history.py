"""A source of past market data: recorded files or a venue's history, read by session.

A session that the source does not have is None, which is not the same as one in which nothing happened.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from datetime import date

from trading.model.contract_master import Split
from trading.model.market import MarketKind, MarketRow

CANNOT_BE_READ = "cannot be read"  # begins the reason of a refusal that stands for a whole file, or its rest


class MarketHistory(ABC):
    """Rows come in the order of their time for each instrument; what cannot be read comes as RefusedRow.

    A refusal whose reason begins with CANNOT_BE_READ says that rows are missing and nobody knows how many:
    the others are taken, and who loads them fails with its words.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """The source's name in the warehouse, for example `lean`."""

    @abstractmethod
    def sessions(self, kind: MarketKind) -> Sequence[date]:
        """Return the sessions that the source has rows of this kind for, ascending."""

    @abstractmethod
    def rows(self, kind: MarketKind, session: date) -> Iterator[MarketRow] | None:
        """Return a session's rows; None where the source does not have it."""

    def files(self, kind: MarketKind, session: date) -> Sequence[str]:
        """Name the files that a session's rows come from; a source without files names none."""
        return ()

    def splits(self) -> Sequence[Split]:
        """Return the splits that the source knows of."""
        return ()
