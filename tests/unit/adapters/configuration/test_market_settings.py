"""Settings of market data that nothing could run with are refused with their name and value."""

import shutil
from pathlib import Path

import pytest
import yaml

from adapters.configuration import default_project_root, load_settings
from trading.errors import ConfigurationError

NUMBERS = [
    *[("ingest", name) for name in ("market_data_lines", "depth_rows", "heartbeat_every_s", "chain_every_s")],
    *[("ingest", name) for name in ("flush_every_ms", "metrics_every_s", "quote_stale_after_s")],
    *[("market", "chain_expiries_max"), ("stubs", "alpha_vantage_port"), ("vendors", "chains_every_s")],
    ("volatility", "every_s"),
]
SYMBOL = "{sector: x, depth: false, tick_by_tick: false, bars: true, chain: none, has_news: false}"


def project_with(tmp_path: Path, section: str, change: str) -> Path:
    """A project folder with one section's settings overridden."""
    shutil.copytree(default_project_root() / "config", tmp_path / "config")
    overrides = tmp_path / ".desk" / "config"
    overrides.mkdir(parents=True)
    (overrides / f"{section}.yaml").write_text(change)
    return tmp_path


def refusal(tmp_path: Path, section: str, change: str) -> str:
    """What is said of it."""
    with pytest.raises(ConfigurationError) as refused:
        load_settings({}, project_with(tmp_path, section, change))
    return str(refused.value)


@pytest.mark.parametrize("value", ["-1", "0", "99999999999999999999", "abc", "1.5", "true"])
@pytest.mark.parametrize(("section", "name"), NUMBERS)
def test_numbers_have_bounds(tmp_path: Path, section: str, name: str, value: str) -> None:
    """A cadence of 0 would spin, one of 10^20 seconds is no time at all."""
    said = refusal(tmp_path, section, f"{name}: {value}\n")
    assert said.startswith(f"{section}.{name}: ")
    assert str(yaml.safe_load(value)) in said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("S  P", "a symbol as SPY, SPX or BRK B, was 'S  P'"),
        ("''", "a symbol as SPY, SPX or BRK B, was ''"),
        ("123", "a symbol as SPY, SPX or BRK B, was '123'"),
        ("A:B", "a symbol as SPY, SPX or BRK B, was 'A:B'"),
        ("'SPY*'", "a symbol as SPY, SPX or BRK B, was 'SPY*'"),
        ("BTC-USD", "a symbol as SPY, SPX or BRK B, was 'BTC-USD'"),
        ("ES=F", "a symbol as SPY, SPX or BRK B, was 'ES=F'"),
        ("ON", "letters and digits (quote ON, NO and Y), was 'True'"),
        ("NO", "letters and digits (quote ON, NO and Y), was 'False'"),
        ("SPXW", "SPX, whose options have the root SPXW, was 'SPXW'"),
        ("BRKB", "BRK B, whose options have the root BRKB, was 'BRKB'"),
        ("^IXIC", "the broker's name of an index, without ^, was '^IXIC'"),
    ],
)
def test_what_is_no_symbol_is_named_with_the_spelling_to_use(tmp_path: Path, written: str, said: str) -> None:
    """They stand in keys, in file names and in questions to vendors; YAML reads ON as true."""
    refused = refusal(tmp_path, "market", f"symbols:\n  {written}: {SYMBOL}\n")
    assert refused == f"market.symbols: expected {said}"


@pytest.mark.parametrize(
    ("written", "symbol"),
    [
        *[(text, "BRK B") for text in ("BRK B", "BRK.B", "BRK-B", "BRK/B", "brk.b")],
        *[(text, "SPX") for text in ("SPX", "^SPX", "$SPX", "^GSPC", "spx")],
        ("'^VIX1D'", "VIX1D"),
        ("$AAPL", "AAPL"),
        ("$BRK.B", "BRK B"),
        ("BAC-P-K", "BAC PRK"),
        ("'ON'", "ON"),
        ("F", "F"),
    ],
)
def test_symbols_are_the_house_s_however_they_were_written(tmp_path: Path, written: str, symbol: str) -> None:
    """The broker refuses a dot, and keys of another spelling would be another share's."""
    settings = load_settings({}, project_with(tmp_path, "market", f"symbols:\n  {written}: {SYMBOL}\n"))
    assert list(settings.market.symbols) == [symbol]


def test_one_symbol_in_two_spellings_is_named(tmp_path: Path) -> None:
    """One of them would lose its settings without a word."""
    said = refusal(tmp_path, "market", f"symbols:\n  BRK.B: {SYMBOL}\n  BRK B: {SYMBOL}\n")
    assert said == "market.symbols: expected BRK B once, was 'BRK.B' and 'BRK B'"


def test_the_symbol_of_recorded_chains_is_the_house_s(tmp_path: Path) -> None:
    """As those of the market are."""
    settings = load_settings({}, project_with(tmp_path, "stubs", "chains_of: BRK.B\n"))
    assert settings.stubs.chains_of == "BRK B"


@pytest.mark.parametrize("symbols", ["{}", "[]", "abc"])
def test_there_is_a_symbol(tmp_path: Path, symbols: str) -> None:
    """Nothing to watch is a mistake."""
    assert refusal(tmp_path, "market", f"symbols: {symbols}\n").startswith("market.symbols: expected")


def test_a_symbol_that_stands_twice_is_named(tmp_path: Path) -> None:
    """The library would take the last one, and the other's lines would be missing without a word."""
    said = refusal(tmp_path, "market", f"symbols:\n  SPY: {SYMBOL}\n  QQQ: {SYMBOL}\n  SPY: {SYMBOL}\n")
    assert "market.yaml" in said
    assert "line 4: expected each key once, was 'SPY' again" in said


def test_a_setting_that_stands_twice_is_named(tmp_path: Path) -> None:
    """In any section."""
    assert "was 'depth_lines' again" in refusal(tmp_path, "ingest", "depth_lines: 1\ndepth_lines: 2\n")
