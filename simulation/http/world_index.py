"""The one-day index of the gateway's own world, so that all sources tell one; drawn before and after it.

A world knows the index on its own sessions, and a recorded one does not at all; elsewhere it is drawn.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from threading import Lock

from simulation.http.index_path import IndexPath
from simulation.market.paths import epoch
from simulation.market.volatility_index import VIX1D
from simulation.market.world import World


@dataclass(frozen=True, slots=True)
class WorldIndex(IndexPath):
    """The index of a world; its requests come from many threads, its answers from one at a time."""

    world: World
    _one: Lock = field(default_factory=Lock, compare=False)

    @classmethod
    def of(cls, world: World) -> IndexPath:
        """The world's own index where it has one."""
        knows = VIX1D.conid in world.listings.by_conid
        return cls(world.seed, world) if knows else IndexPath(world.seed)

    def at(self, moment: datetime, session: date) -> Decimal:
        """The value that stands at a moment of a session's day."""
        if session not in self.world.sessions:
            return IndexPath.at(self, moment, session)
        with self._one:
            return Decimal(self.world.quotes.spot_cents(VIX1D, epoch(moment))).scaleb(-2)
