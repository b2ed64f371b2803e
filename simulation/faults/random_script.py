"""A random fault schedule for soaks: a script in the same words, from a seed."""

from datetime import datetime, timedelta
from random import Random

from simulation.faults.catalogue import ALL
from trading.model.times import NEW_YORK

FAULTS_MOST = 10_000
WINDOW_S = (30, 600)  # how long a switch stays on


def random_script(seed: int, starts: datetime, ends: datetime, count: int) -> str:
    """So many faults between two moments of one New York day; the same arguments give the same text."""
    if not 0 <= count <= FAULTS_MOST:
        raise ValueError(f"count: expected 0 to {FAULTS_MOST}, was {count}")
    rng = Random(f"faults {seed}")
    drawn = [fault for fault in ALL if fault.drawn]
    length = int((ends - starts).total_seconds())
    lines = []
    for second in sorted(rng.randrange(length) for _ in range(count)):
        at = starts + timedelta(seconds=second)
        fault = rng.choice(drawn)
        until = min(at + timedelta(seconds=rng.randint(*WINDOW_S)), ends)
        day = at.astimezone(NEW_YORK).date()
        if fault.is_switch and until > at:
            lines.append(f"from {_clock(at)} to {_clock(until)} on {day} {fault.drawn}")
        else:
            lines.append(f"at {_clock(at)} on {day} {fault.drawn}")
    return "".join(f"{line}\n" for line in lines)


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(NEW_YORK):%H:%M:%S}"
