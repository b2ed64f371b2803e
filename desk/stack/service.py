"""What the supervisor must know of a service: how to start it, what it needs, how to ask it, how long to
wait.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One process of the stack."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    needs: tuple[str, ...] = ()
    port: int | None = None
    url: str | None = None
    is_ready: Callable[[float], bool]  # gets the start time of the process, seconds since the epoch
    stop_grace_s: float = 5.0
    niceness: int = 0  # above 0 it gives way to the others where the processors are busy
