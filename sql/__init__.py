"""The warehouse's SQL as text: migrations, queries, invariants, market checks, access rules. Loads text only.

A file is found by its name; what runs it, and with which parameters, is the adapters' business.
"""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One SQL file: its name without `.sql`, its text, and the checksum of that text."""

    name: str
    text: str
    checksum: str


def migrations() -> tuple[Script, ...]:
    """Return the migrations in the order of their numbers."""
    return _scripts("migrations")


def access_rules() -> tuple[Script, ...]:
    """Return the role and quota scripts, for servers that keep accounts."""
    return _scripts("access")


def invariants() -> tuple[Script, ...]:
    """Return the statements that must return no rows."""
    return _scripts("invariants")


def market_checks() -> tuple[Script, ...]:
    """Return the statements that name what is wrong with market data: `what`, and how many rows."""
    return _scripts("market_checks")


@cache
def query(name: str) -> str:
    """Return the text of `queries/<name>.sql`; raises FileNotFoundError that names it."""
    return _folder("queries").joinpath(f"{name}.sql").read_text(encoding="utf-8")


def _folder(name: str) -> Traversable:
    return files("sql").joinpath(name)


def _scripts(folder: str) -> tuple[Script, ...]:
    found = (item for item in _folder(folder).iterdir() if item.name.endswith(".sql"))
    return tuple(_script(item) for item in sorted(found, key=lambda item: item.name))


def _script(item: Traversable) -> Script:
    text = item.read_text(encoding="utf-8").replace("\r\n", "\n")
    checksum = sha256(text.encode()).hexdigest()
    return Script(name=item.name.removesuffix(".sql"), text=text, checksum=checksum)
