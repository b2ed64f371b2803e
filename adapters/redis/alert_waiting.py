"""Words on alerts that wait in a process until the server takes them: in their order, and bounded.

Keep out: how a word is written, and when it is tried again (`alert_writer`, under whose lock all this is).
"""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from adapters.redis import keys

SAME_CODE_EVERY_S = keys.ALERT_TOLD.ttl_s or 0


class Step(StrEnum):
    """What is said of a code."""

    EVENT = "event"
    RAISE = "raise"
    END = "end"
    FENCE = "fence"
    TAKE_OVER = "take_over"


@dataclass(slots=True, kw_only=True)
class Said:
    """One thing to write, as it was meant at `at` by the monotonic clock."""

    step: Step
    code: str
    text: str
    at: float
    identity: str
    market_at: str = ""
    is_marked: bool = False  # the key of its code says that it is told: by us
    pause_ms: int = SAME_CODE_EVERY_S * 1000


class WaitingWords:
    """Of a code at most its begin and its end, so that what flaps takes two places."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._words: deque[Said] = deque()
        self._dropped = 0

    def __len__(self) -> int:
        return len(self._words)

    def has(self, code: str) -> bool:
        """Whether a word of this code waits."""
        return any(each.code == code for each in self._words)

    def first(self) -> Said | None:
        """The word whose turn it is."""
        return self._words[0] if self._words else None

    def keep(self, said: Said) -> None:
        """Let a word wait; one too many is counted. An end has room where a begin has none any more."""
        same = [
            each
            for each in self._words
            if each.code == said.code and (said.code or each.step is said.step)  # no code: the process's own
        ]
        if same and same[-1].step is said.step:
            return
        if len(same) > 1:  # it began and ended, and begins again
            self._words.remove(same[-1])
        elif len(self._words) >= self._most * (2 if said.step is Step.END else 1):
            self._dropped += 1
        else:
            self._words.append(said)

    def written(self, said: Said) -> None:
        """It waits no more."""
        if said in self._words:
            self._words.remove(said)

    def not_written(self, said: Said) -> None:
        """Others may pass it, unless another word of its code waits: the order of each code is kept."""
        if sum(each.code == said.code for each in self._words) == 1:
            self._words.rotate(-1)

    def take_dropped(self) -> int:
        """How many were too many since this was asked last."""
        dropped, self._dropped = self._dropped, 0
        return dropped
