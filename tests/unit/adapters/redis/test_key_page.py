"""The page of keys says what the schema says."""

from pathlib import Path

from adapters.redis.key_page import page
from adapters.redis.keys import SCHEMA, aliases

PAGE = Path(__file__).resolve().parents[4] / "docs" / "redis-keys.md"


def test_the_page_is_as_the_schema_writes_it() -> None:
    """Otherwise: `python -m adapters.redis.key_page > docs/redis-keys.md`."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_key_and_every_older_name_stands_on_it() -> None:
    """None is left out by its area."""
    told = page()
    for family in SCHEMA:
        assert f"| `{family.pattern}` | {family.kind} |" in told
    for older, ours in aliases():
        assert f"| `{older}` | `{ours}` |" in told
