"""Lines of Lean's end-of-day chains: contracts with their model values, and the underlying's own line.

A header names the columns; without one they are those of the newest form, or of the older one that names a
contract by the origin's id and its OCC symbol. Keep out: where the file lies, what follows from the values.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from simulation.market.lean_names import day_of
from simulation.market.lean_rows import Remarks, rows_of
from trading.model.options import underlying_of_root
from trading.model.symbols import is_same_symbol

_VALUES = ("open", "high", "low", "close", "volume", "open_interest", "implied_volatility")
_GREEKS = ("delta", "gamma", "vega", "theta")
COLUMNS = ("expiry", "strike", "right", *_VALUES, *_GREEKS, "rho")
COLUMNS_WITH_SYMBOLS = ("symbol_id", "symbol_value", *_VALUES, *_GREEKS, "rho")
RIGHTS = ("C", "P")
_OCC = re.compile(r"(?P<root>[A-Z0-9.]{1,6}?) *(?P<day>\d{6})(?P<right>[CP])(?P<strike>\d{8})", re.ASCII)
THOUSANDTHS = 1_000


class UniverseRow(NamedTuple):
    """A line of the end-of-day chain; numbers None where they are empty."""

    expiry: date | None  # None: the underlying's own line
    strike: Decimal
    right: str
    close: float
    open_interest: int | None
    volatility: float
    delta: float
    gamma: float
    vega: float
    theta: float


def universe_rows(text: str, root: str, where: str, remarks: Remarks) -> list[UniverseRow]:
    """The lines of a file; `root` is the class that its folder names, empty where it names none."""
    columns, body = columns_and_lines(text)
    return rows_of("\n".join(body), lambda texts: _row(columns, root, texts), where, remarks)


def columns_and_lines(text: str) -> tuple[Sequence[str], Sequence[str]]:
    """The names of the columns, and the lines without their header."""
    lines = [line for line in text.splitlines() if line.strip()]
    headers = [line for line in lines if _is_header(line)]
    body = [line for line in lines if not _is_header(line)]
    return _columns(headers[0] if headers else "", body[0] if body else ""), body


def contract_of(told: Mapping[str, str], root: str) -> tuple[date | None, Decimal, str]:
    """Expiry, strike and right of a line; no expiry in the underlying's. Raises ValueError for a stranger."""
    return _named(told, root) if "symbol_value" in told else _described(told)


def _is_header(line: str) -> bool:
    """Whether a line names columns, with the origin's mark or without."""
    return line.startswith("#") or "close" in _names(line)


def _names(line: str) -> tuple[str, ...]:
    return tuple(line.removeprefix("#").lower().split(","))


def _columns(header: str, first: str) -> Sequence[str]:
    named = _names(header)
    if "close" in named and ("symbol_value" in named or "expiry" in named):
        return named
    return COLUMNS_WITH_SYMBOLS if first.count(",") == len(COLUMNS_WITH_SYMBOLS) - 1 else COLUMNS


def _row(columns: Sequence[str], root: str, texts: list[str]) -> UniverseRow:
    if len(texts) != len(columns):
        raise ValueError(f"expected {len(columns)} fields, was {len(texts)}")
    told = dict(zip(columns, texts, strict=True))
    expiry, strike, right = contract_of(told, root)
    interest = told.get("open_interest", "")
    return UniverseRow(
        expiry,
        strike,
        right,
        _number(told, "close"),
        int(interest) if interest else None,
        _number(told, "implied_volatility"),
        *(_number(told, name) for name in _GREEKS),
    )


def _described(told: Mapping[str, str]) -> tuple[date | None, Decimal, str]:
    text, right = told["expiry"], told["right"]
    expiry = day_of(text) if text else None
    if text and (expiry is None or right not in RIGHTS):
        raise ValueError(f"expected an expiry and a right, was {text} {right}")
    return expiry, Decimal(told["strike"] or 0), right


def _named(told: Mapping[str, str], root: str) -> tuple[date | None, Decimal, str]:
    """By the OCC symbol; the line of another underlying than the class's cannot be read."""
    symbol = told["symbol_value"].upper()
    if is_same_symbol(symbol, underlying_of_root(root)) or (not root and " " not in symbol):
        return None, Decimal(0), ""
    found = _OCC.fullmatch(symbol)
    expiry = None if found is None else day_of(f"20{found['day']}")
    if found is None or expiry is None or (root and not _is_of(found["root"], root)):
        raise ValueError(f"expected {root} or the OCC symbol of a contract, was {symbol}")
    return expiry, Decimal(int(found["strike"])) / THOUSANDTHS, found["right"]


def _is_of(named: str, root: str) -> bool:
    """Whether the OCC symbol's class is the folder's; it has no dots, and an index has several classes."""
    return any(is_same_symbol(named, each) for each in (root, underlying_of_root(root)))


def _number(told: Mapping[str, str], name: str) -> float:
    return float(told.get(name) or 0)
