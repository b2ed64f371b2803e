"""Who gets which lines, and that nothing is left out without a name."""

from dataclasses import replace

from adapters.configuration import load_settings
from adapters.ibkr.market.budget import VOLATILITY_INDEX, budget_of
from trading.market_settings import ChainMode, IngestSettings, MarketSettings, SymbolSettings


def symbol(**changes: object) -> SymbolSettings:
    """One symbol that wants level 1 and bars."""
    given: dict[str, object] = {
        "sector": "test", "depth": False, "tick_by_tick": False, "bars": True, "chain": ChainMode.NONE,
        "has_news": False,
    }  # fmt: skip
    return SymbolSettings(**(given | changes))  # type: ignore[arg-type]


def market(**symbols: SymbolSettings) -> MarketSettings:
    """These symbols."""
    return MarketSettings(symbols=symbols, chain_expiries_max=2, chain_strikes_each_side=3)


def ingest(**changes: int) -> IngestSettings:
    """The shipped settings."""
    return replace(load_settings({}, with_stack=False).ingest, **changes)


def test_the_shipped_configuration_fits_into_a_login_of_a_hundred_lines() -> None:
    """Everything that is wanted is heard, but for the touches, which nobody wrote down as wanted."""
    settings = load_settings({}, with_stack=False)
    budget = budget_of(settings.market, settings.ingest)
    assert {each.feed for each in budget.without} <= {"touches"}
    assert budget.chain_lines == 100 - 2 * len(settings.market.symbols) - 1
    assert [name for name, plan in budget.symbols.items() if plan.depth] == ["SPY", "QQQ", "IWM"]


def test_level_1_comes_first_and_in_the_order_of_the_configuration() -> None:
    """With two lines the first two symbols are heard, the others are named."""
    budget = budget_of(market(A=symbol(), B=symbol(), C=symbol()), ingest(market_data_lines=2))
    assert [name for name, plan in budget.symbols.items() if plan.level1] == ["A", "B"]
    assert {(each.symbol, each.feed) for each in budget.without} >= {("C", "level1"), ("A", "bars")}
    assert "ingest.market_data_lines is 2" in budget.without[0].text


def test_bars_leave_some_lines_to_the_chains() -> None:
    """A chain that takes turns needs a few lines more than it needs bars."""
    wanted = market(**{f"S{n}": symbol(chain=ChainMode.SNAPSHOT) for n in range(10)})
    budget = budget_of(wanted, ingest(market_data_lines=20))
    assert budget.chain_lines == 8
    assert sum(plan.bars for plan in budget.symbols.values()) == 1


def test_prints_go_before_touches() -> None:
    """Tick-by-tick lines are one login's few."""
    wanted = market(A=symbol(tick_by_tick=True), B=symbol(tick_by_tick=True))
    budget = budget_of(wanted, ingest(tick_by_tick_lines=3))
    assert [(plan.prints, plan.touches) for plan in budget.symbols.values()][:2] == [
        (True, True), (True, False),
    ]  # fmt: skip
    assert [(each.symbol, each.feed) for each in budget.without] == [("B", "touches")]


def test_chains_without_any_line_are_named() -> None:
    """A chain that nobody will hear is not silently empty."""
    budget = budget_of(market(A=symbol(bars=False, chain=ChainMode.STREAM)), ingest(market_data_lines=1))
    assert ("A", "chain") in {(each.symbol, each.feed) for each in budget.without}


def test_the_volatility_index_has_a_line_when_there_is_one() -> None:
    """It is the last of level 1."""
    assert budget_of(market(A=symbol()), ingest()).symbols[VOLATILITY_INDEX].level1
    assert VOLATILITY_INDEX not in budget_of(market(A=symbol()), ingest(market_data_lines=1)).symbols
