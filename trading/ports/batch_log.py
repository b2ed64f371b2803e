"""What each batch of market data did: rows that it told, those that were new, how long storing them took."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

BATCHES_PER_CALL_MAX = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchNote:
    """One attempt to store one batch; rows = new + repeated + refused, oldest and newest by market time."""

    batch_id: str  # the same for the same entries
    origin: str
    sources: tuple[str, ...]
    rows: int
    new: int
    repeated: int
    refused: int
    oldest_at: datetime | None
    newest_at: datetime | None
    began_at: datetime
    ended_at: datetime
    duration_ms: int


class BatchLog(ABC):
    """Raises WarehouseUnavailableError or WarehouseError; the same notes may be recorded again."""

    @abstractmethod
    def record(self, notes: Sequence[BatchNote]) -> None:
        """Keep notes, BATCHES_PER_CALL_MAX at most; the same ones again are kept once."""
