"""One module owns every Redis key: its form, its tags, its aliases, and nobody else spells one."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from adapters.redis import keys
from adapters.redis.key_family import KeyFamily
from adapters.redis.keys import SCHEMA, alias_of, aliases
from trading.errors import InvalidFieldError

ROOT = Path(__file__).resolve().parents[4]
OWN = ROOT / "adapters" / "redis" / "keys.py"
PACKAGES = ("adapters", "assets", "desk", "orchestration", "sensors", "simulation", "trading")
LITERAL_START = re.compile(
    "^("
    + "|".join(sorted({re.escape(family.pattern.split("<")[0].split("{")[0]) for family in SCHEMA}))
    + ")"
)


def test_every_form_is_there_once_and_reads_back() -> None:
    """A key that is built by a family is read by it, part for part."""
    assert max(Counter(family.pattern for family in SCHEMA).values()) == 1
    for family in SCHEMA:
        parts = {name: f"x{place}" for place, name in enumerate(family.parts)}
        assert family.read(family.at(**parts)) == parts


def test_symbols_are_hash_tags() -> None:
    """All keys of one symbol's atomic script lie in one slot."""
    for family in SCHEMA:
        if "sym" in family.parts:
            assert re.findall(r"\{(.*?)\}", family.at(**dict.fromkeys(family.parts, "SPX"))) == ["SPX"]


@pytest.mark.parametrize("family", SCHEMA, ids=lambda family: family.pattern)
def test_every_key_has_a_type_a_writer_and_a_meaning(family: KeyFamily) -> None:
    """And a life, or none for what may not expire by itself."""
    assert family.kind in {"string", "hash", "list", "set", "zset", "stream", "channel"}
    assert family.writer
    assert family.what
    assert family.ttl_s is None or family.ttl_s >= 0


def test_locks_never_expire() -> None:
    """A lock that runs out would open a door that nobody decided to open."""
    assert keys.LOCK.ttl_s is None
    assert keys.LOCKS_EPOCH.ttl_s is None


@pytest.mark.parametrize("value", ["", "*", "a:b", "a{b", "a}b", "x?", "[a]", "a\nb", "a\\", "x" * 201])
def test_a_part_that_would_make_another_key_is_refused(value: str) -> None:
    """Glob signs, separators and braces never come in by a value."""
    with pytest.raises(InvalidFieldError, match="account of positions:closed"):
        keys.POSITION_CLOSED.at(date="2026-07-17", account=value, instrument="1")
    with pytest.raises(InvalidFieldError):
        keys.POSITION_CLOSED.matching(account=value)


@pytest.mark.parametrize("symbol", ["SPY", "BRK B", "BRK.B", "x'; drop table", "^VIX", "ES=F", "a/b"])
def test_a_symbol_is_data_and_reads_back(symbol: str) -> None:
    """It stands in braces, so blanks and quotes are its own; whatever it is, the key's form stays."""
    key = keys.MARKET_TICKER.at(sym=symbol)
    assert key == "market:{" + symbol + "}:ticker"
    assert keys.MARKET_TICKER.read(key) == {"sym": symbol}


@pytest.mark.parametrize("symbol", ["", "../etc", "..", "a:b", "{a}", "*", " a", "a ", "a\n", "x" * 201])
def test_a_symbol_that_is_a_path_or_another_key_is_refused(symbol: str) -> None:
    """By the name of the part, with its value."""
    for family in (keys.MARKET_TICKER, keys.OUTBOX, keys.SENTIMENT):
        parts = dict.fromkeys(family.parts, "x") | {"sym": symbol}
        with pytest.raises(InvalidFieldError, match="sym of"):
            family.at(**parts)


def test_missing_and_unknown_parts_are_refused() -> None:
    """The error says which parts the form has."""
    with pytest.raises(InvalidFieldError, match="component, shard"):
        keys.LEASE.at(component="ingest")
    with pytest.raises(InvalidFieldError):
        keys.LOCKS_EPOCH.at(sym="SPX")


@pytest.mark.parametrize(
    ("older", "ours"),
    [
        ("heartbeat:ibkr_ingestion", "health:ibkr_ingestion:heartbeat"),
        ("module:heartbeat:analytics", "health:analytics:heartbeat"),
        ("signals:emitted:abc123", "signals:emitted:{*}:abc123"),
        ("signals:cooldown:SPX_C_4500", "signals:cooldown:{*}:SPX_C_4500"),
        ("market:SPY:ticker", "market:{SPY}:ticker"),
        ("analytics:SPY:vpin", "analytics:{SPY}:vpin"),
        ("signals:pending:SPY", "signals:pending:{SPY}"),
        ("options:SPY:SPY261120C00500000:greeks", "options:{SPY}:SPY261120C00500000:greeks"),
        ("sentiment:SPY", "sentiment:{SPY}"),
        ("technicals:SPY:RSI", "technicals:{SPY}:RSI"),
        ("market:SPY:bars:1m", "market:{SPY}:bars:1m"),
        ("no:such:key", None),
    ],
)
def test_names_of_older_tools_map_to_ours(older: str, ours: str | None) -> None:
    """A star stands for what the older name does not say."""
    assert alias_of(older) == ours


def test_the_table_of_aliases_is_the_schema_s_own() -> None:
    """Older form on the left, ours on the right, each older form once."""
    table = aliases()
    assert len(dict(table)) == len(table) > 0
    assert {ours for _, ours in table} <= {family.pattern for family in SCHEMA}


def is_key(text: str) -> bool:
    """A whole key of ours, an older tool's key, or the beginning of one that an f-string goes on with."""
    whole = any(family.read(text) is not None for family in SCHEMA) or alias_of(text) is not None
    return whole or bool(text.endswith(":") and LITERAL_START.match(text))


def spelled_keys(source: str) -> list[str]:
    """Text literals that look like one of our keys; docstrings and messages with blanks are prose."""
    literals = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
    return [
        f"line {node.lineno}: {node.value}"
        for node in literals
        if isinstance(node.value, str)
        and ":" in node.value
        and not re.search(r"\s", node.value)
        and is_key(node.value)
    ]


def test_no_key_is_spelled_anywhere_else() -> None:
    """Every other module asks keys.py."""
    modules = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if path != OWN]
    assert len(modules) > 10
    found = {str(path): spelled_keys(path.read_text(encoding="utf-8")) for path in modules}
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_the_search_for_spelled_keys_finds_one() -> None:
    """The test above can fail."""
    assert len(spelled_keys('key = "locks:account:U1"\nother = f"market:{symbol}:ticker"\n')) == 2
