"""The simulated clock: a moment in the past that runs at a speed, stands still, or jumps.

The wall is a callable that gives seconds, so nothing is read at import and a test moves time by hand. With
no speed the clock is as fast as possible: it stands until its driver moves it, step by step.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Wall = Callable[[], float]
SLEEP_LEAST_S = 0.001  # shorter pauses only burn the processor
SLEEP_MOST_S = 3_600.0


class SimulatedClock:
    """Aware UTC time of the simulated world. `speed` is simulated seconds per second; None moves by hand.

    `skew` is added to what the clock *tells* (`told`), never to what the world lives by (`now`).
    """

    def __init__(self, start: datetime, speed: float | None, wall: Wall = time.monotonic) -> None:
        if start.tzinfo is None:
            raise ValueError(f"start: expected an aware moment, was {start}")
        if speed is not None and speed <= 0:
            raise ValueError(f"speed: expected more than 0 or none, was {speed}")
        self._wall = wall
        self._speed = speed
        self._base = start.astimezone(UTC)
        self._since = wall()
        self._frozen = False
        self.skew = timedelta()

    @property
    def speed(self) -> float | None:
        """Simulated seconds per second; None when somebody moves the clock by hand."""
        return self._speed

    @property
    def is_manual(self) -> bool:
        """Whether the clock stands until it is moved."""
        return self._speed is None

    def now(self) -> datetime:
        """The world's time."""
        if self._speed is None or self._frozen:
            return self._base
        return self._base + timedelta(seconds=(self._wall() - self._since) * self._speed)

    def told(self) -> datetime:
        """What the clock says to those who ask: the world's time plus the skew."""
        return self.now() + self.skew

    def jump(self, to: datetime) -> None:
        """Go on from another moment; time never runs back, because nothing that happened can be undone."""
        if to < self.now():
            raise ValueError(f"to: expected {self.now()} or later, was {to}")
        self._restart(to.astimezone(UTC))

    def advance(self, by: timedelta) -> datetime:
        """Move ahead by some time and give the new one."""
        self.jump(self.now() + by)
        return self.now()

    @property
    def is_frozen(self) -> bool:
        """Whether it stands until `thaw`."""
        return self._frozen

    def freeze(self, at: datetime | None = None) -> None:
        """Stand still until `thaw`: now, or at a moment just past to which the world has been brought.

        Who notices late that the moment has come (a busy machine) must not have the time in between go by.
        """
        self._restart(self.now() if at is None else min(at.astimezone(UTC), self.now()))
        self._frozen = True

    def thaw(self) -> None:
        """Run on from where it stood; a clock that runs goes on as it does, for time never runs back."""
        if self._frozen:
            self._restart(self._base)
            self._frozen = False

    def set_speed(self, speed: float | None) -> None:
        """Run at another speed from now on."""
        if speed is not None and speed <= 0:
            raise ValueError(f"speed: expected more than 0 or none, was {speed}")
        self._restart(self.now())
        self._speed = speed

    def wait_s(self, until: datetime) -> float:
        """How long the wall takes until a moment; 0 when it is past or the clock is moved by hand."""
        if self._speed is None:
            return 0.0
        return max(0.0, (until - self.now()) / timedelta(seconds=1) / self._speed)

    async def sleep_until(self, moment: datetime) -> datetime:
        """Return at the moment or a little later; a clock that is moved by hand jumps there at once.

        Meant for the one driver of the world: with two, a hand-moved clock would go to the later moment.
        """
        if self._speed is None:
            self.jump(max(moment, self.now()))
            await asyncio.sleep(0)
            return self.now()
        while (left := self.wait_s(moment)) > 0 or self._frozen:
            await asyncio.sleep(min(max(left, SLEEP_LEAST_S), SLEEP_MOST_S))
        return self.now()

    async def tick(self, step: timedelta) -> datetime:
        """Wait one step of simulated time, but give way to others at least once."""
        return await self.sleep_until(self.now() + step)

    def _restart(self, base: datetime) -> None:
        self._base, self._since = base, self._wall()
