"""When to ask again after a failure: exponential with jitter, bounded in number and in length.

Chance is an argument (0 to below 1), so a replay waits as the day did. Nobody sleeps here: the time of the
next attempt stands in a schedule, so a process that is told to end ends.
"""

from dataclasses import dataclass

FIRST_S = 0.5
MOST_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """`attempts_max` tries of one question; the pause doubles from `first_s` up to `most_s`."""

    attempts_max: int
    first_s: float = FIRST_S
    most_s: float = MOST_S

    def delay_s(self, failures: int, chance: float) -> float | None:
        """Seconds until the next attempt after so many failed ones; None when there is none."""
        if failures < 1:
            raise ValueError(f"failures: expected 1 or more, was {failures}")
        if failures >= self.attempts_max:
            return None
        ceiling: float = min(self.most_s, self.first_s * 2.0 ** min(failures - 1, 32))
        return ceiling * (0.5 + chance / 2)
