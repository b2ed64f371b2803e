"""Who gets which lines: the login has few, and what does not fit is named, never silently left out.

Level 1 of every symbol comes first, in the configuration's order (and one line for the volatility index),
then bars of five seconds (they count as lines, too), what is left goes to the chains. Depth and tick-by-tick
lines are counted apart; every print goes before every change of the touch.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from trading.market_settings import ChainMode, IngestSettings, MarketSettings

VOLATILITY_INDEX = "VIX1D"
ROTATION_LEAST = 8  # lines that bars leave to the chains that are looked at in turn
LEVEL1, BARS, DEPTH, PRINTS, TOUCHES, CHAIN = "level1", "bars", "depth", "prints", "touches", "chain"


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolPlan:
    """What is heard of one symbol."""

    symbol: str
    level1: bool = True
    bars: bool = False
    depth: bool = False
    prints: bool = False
    touches: bool = False
    chain: ChainMode = ChainMode.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class NoLine:
    """A feed that is wanted and has no line; the text is for people."""

    symbol: str
    feed: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What every symbol gets, lines left for chains, and what does not fit."""

    symbols: Mapping[str, SymbolPlan]
    chain_lines: int
    without: tuple[NoLine, ...]


class _Purse:
    """So many lines of one kind."""

    def __init__(self, name: str, lines: int, kept: int = 0) -> None:
        self._name, self._all, self.left, self._kept = name, lines, lines, kept
        self.without: list[NoLine] = []

    def pays(self, symbol: str, feed: str, *, is_wanted: bool, keeps: bool = False) -> bool:
        """Take a line where it is wanted; a refusal is kept."""
        if not is_wanted:
            return False
        if self.left > (self._kept if keeps else 0):
            self.left -= 1
            return True
        self.without.append(
            NoLine(symbol=symbol, feed=feed, text=f"no line: {self._name} is {self._all}, all taken")
        )
        return False


def budget_of(market: MarketSettings, ingest: IngestSettings) -> Budget:
    """Share the lines out."""
    wanted = market.symbols
    has_rotation = any(each.chain is ChainMode.SNAPSHOT for each in wanted.values())
    lines = _Purse(
        "ingest.market_data_lines", ingest.market_data_lines, ROTATION_LEAST if has_rotation else 0
    )
    depth = _Purse("ingest.depth_lines", ingest.depth_lines)
    ticks = _Purse("ingest.tick_by_tick_lines", ingest.tick_by_tick_lines)
    level1 = {name: lines.pays(name, LEVEL1, is_wanted=True) for name in (*wanted, VOLATILITY_INDEX)}
    prints = {
        name: ticks.pays(name, PRINTS, is_wanted=each.tick_by_tick and level1[name])
        for name, each in wanted.items()
    }
    plans = {
        name: SymbolPlan(
            symbol=name,
            level1=level1[name],
            bars=lines.pays(name, BARS, is_wanted=each.bars and level1[name], keeps=True),
            depth=depth.pays(name, DEPTH, is_wanted=each.depth and level1[name]),
            prints=prints[name],
            touches=ticks.pays(name, TOUCHES, is_wanted=prints[name]),
            chain=each.chain if level1[name] else ChainMode.NONE,
        )
        for name, each in wanted.items()
    }
    if level1[VOLATILITY_INDEX] and VOLATILITY_INDEX not in plans:
        plans[VOLATILITY_INDEX] = SymbolPlan(symbol=VOLATILITY_INDEX)
    without = (*lines.without, *depth.without, *ticks.without, *_chains_without(plans, lines.left))
    return Budget(symbols=plans, chain_lines=lines.left, without=without)


def _chains_without(plans: Mapping[str, SymbolPlan], left: int) -> list[NoLine]:
    if left > 0:
        return []
    return [
        NoLine(symbol=name, feed=CHAIN, text="no line is left for its chain")
        for name, plan in plans.items()
        if plan.chain is not ChainMode.NONE
    ]
