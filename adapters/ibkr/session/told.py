"""What this process has told its outbox already, so that a sweep each minute tells only what is new.

A day's sweeps bring every execution some four hundred times. Told again is what is new or has other content
(a repeated execution whose price changed under the same id is told, and judged by the ingest path). Losing
this memory is harmless, it is only told again: after a restart, when the outbox was lost (a new epoch), when
the memory is full.
"""

from collections.abc import Hashable

TOLD_MAX = 200_000  # a day has some ten thousand executions, each with its fee


class Told:
    """Contents by identity, bounded; the oldest is forgotten first."""

    def __init__(self, kept_max: int = TOLD_MAX) -> None:
        self._kept_max = kept_max
        self._contents: dict[Hashable, int] = {}

    def is_new(self, identity: Hashable, content: Hashable) -> bool:
        """Whether this content of that identity was not told last; it counts as told from here on."""
        digest = hash(content)
        if self._contents.get(identity) == digest:
            return False
        if identity not in self._contents and len(self._contents) >= self._kept_max:
            del self._contents[next(iter(self._contents))]
        self._contents[identity] = digest
        return True

    def forget(self) -> None:
        """Tell everything again."""
        self._contents.clear()
