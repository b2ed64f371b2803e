"""Price increments: which steps a contract may be quoted and ordered in, by market rule.

The ids are those the API tells in a contract's `marketRuleIds`; the tables are the exchanges' published
minimum increments (penny programme for the broad funds, pennies below three dollars for other options,
nickels and dimes for the index). Cents throughout.
"""

from dataclasses import dataclass
from decimal import Decimal

from simulation.sample_desk.contracts import Contract

PENNY_SYMBOLS = ("SPY", "QQQ", "IWM")
STEP_FROM_CENTS = 300  # three dollars


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketRule:
    """Increments from a price on, lowest price first; cents."""

    rule_id: int
    increments: tuple[tuple[int, int], ...]

    def increment(self, cents: int) -> int:
        """The step at a price; a negative net price of a combination counts by its size."""
        found = self.increments[0][1]
        for low, step in self.increments:
            if abs(cents) >= low:
                found = step
        return found

    def allows(self, cents: int) -> bool:
        """Whether the price is a multiple of its step."""
        return cents % self.increment(cents) == 0

    def down(self, cents: int) -> int:
        """The nearest allowed price not above."""
        step = self.increment(cents)
        return cents // step * step

    def up(self, cents: int) -> int:
        """The nearest allowed price not below."""
        step = self.increment(cents)
        return -(-cents // step) * step


SHARES = MarketRule(rule_id=26, increments=((0, 1),))
PENNIES = MarketRule(rule_id=110, increments=((0, 1),))
CLASSES = MarketRule(rule_id=109, increments=((0, 1), (STEP_FROM_CENTS, 5)))
INDEX = MarketRule(rule_id=67, increments=((0, 5), (STEP_FROM_CENTS, 10)))
COMBINATIONS = MarketRule(rule_id=32, increments=((0, 1),))
RULES = {rule.rule_id: rule for rule in (SHARES, PENNIES, CLASSES, INDEX, COMBINATIONS)}


def rule_of(contract: Contract | None) -> MarketRule:
    """The rule of a contract; a combination (None) trades in cents."""
    if contract is None or contract.asset == "BAG":
        return COMBINATIONS
    if contract.asset != "OPT" or contract.underlying is None:
        return SHARES
    if contract.underlying.is_index:
        return INDEX
    return PENNIES if contract.underlying.symbol in PENNY_SYMBOLS else CLASSES


def steps_of(rule_id: int) -> tuple[tuple[Decimal, Decimal], ...]:
    """Low edge and increment in dollars, as the market rule request answers."""
    return tuple((Decimal(low) / 100, Decimal(step) / 100) for low, step in RULES[rule_id].increments)
