"""Open interest: most at round strikes near the money, moved from morning to morning by what was traded.

Counts are of the session's morning, as the clearing house publishes them: today's trades show tomorrow.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from simulation.market.chain import Chain, Chains, Ints
from simulation.market.mixing import mixed_more, units
from simulation.market.printed import Printed
from simulation.sample_desk.contracts import Contract

MOST = 9_000.0
ROUND_STEPS = ((10, 3.0), (5, 1.8))  # multiples of the strike's step, and how much more is open there
OPENED_MOST, CLOSED_MOST = 0.55, 0.35  # of a session's trades
SALT_BASE, SALT_MOVE = 191, 192


@dataclass(slots=True)
class OpenInterest:
    """Counts by contract and session."""

    chains: Chains
    printed: Printed
    sessions: Sequence[date]
    counted: dict[tuple[str, date], Ints] = field(default_factory=dict)

    def of(self, contract: Contract, session: date) -> int:
        """Contracts open on the session's morning; 0 for what is no option or not live."""
        if contract.asset != "OPT" or contract.underlying is None:
            return 0
        chain = self.chains.chain(contract.underlying, session)
        if chain is None or contract.conid not in chain.flats:
            return 0
        return int(self._counts(chain)[chain.flats[contract.conid]])

    def _counts(self, chain: Chain) -> Ints:
        key = (chain.underlying.symbol, chain.session)
        if key not in self.counted:
            before = [day for day in self.sessions if day < chain.session]
            self.counted[key] = self._moved(chain, before[-1]) if before else base(chain)
        return self.counted[key]

    def _moved(self, chain: Chain, yesterday: date) -> Ints:
        """Yesterday's count and what its trades opened or closed; a new series begins at its base."""
        old = self.chains.chain(chain.underlying, yesterday)
        told = base(chain)
        if old is None:
            return told
        counts, volumes = self._counts(old), self._volumes(old)
        draw = units(mixed_more(old.bits, yesterday.toordinal(), SALT_MOVE))
        moved = volumes * (draw * (OPENED_MOST + CLOSED_MOST) - CLOSED_MOST)
        evening = np.maximum(counts + np.rint(moved).astype(np.int64), 0)
        for conid, flat in chain.flats.items():
            if conid in old.flats:
                told[flat] = evening[old.flats[conid]]
        return told

    def _volumes(self, chain: Chain) -> Ints:
        flow = self.printed.options(chain).flow
        told = np.zeros(len(chain.bits), dtype=np.int64)
        np.add.at(told, flow.cell, flow.size)
        return told


def base(chain: Chain) -> Ints:
    """What is open in a series when the world begins."""
    middle = chain.strikes[len(chain.strikes) // 2]
    days = np.maximum(chain.later[:, None] + 1.0, 1.0)
    standard = np.abs(chain.strikes - middle) / (middle * chain.nature.daily_deviation * np.sqrt(days))
    near = 1.0 / (1.0 + standard * standard * 0.3)
    whole = np.ones(len(chain.strikes))
    for steps, factor in reversed(ROUND_STEPS):
        whole = np.where(chain.strikes % (chain.underlying.strike_step_cents * steps) == 0, factor, whole)
    draw = units(mixed_more(chain.bits, SALT_BASE)).reshape(chain.shape)
    told: Ints = np.rint(MOST / 3.0 * near * whole * (0.2 + 0.8 * draw)).astype(np.int64).ravel()
    return told
