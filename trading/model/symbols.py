"""Symbols: the house's one spelling, and everybody else's.

The house spells a symbol as the broker does, since what is ordered, held and stated is named so: the class of
a share stands behind a blank (``BRK B``), a preferred one behind ``PR`` (``BAC PRK``), an index has no mark
(``SPX``). Keys and rows carry nothing else, so what was heard live and what was loaded of one share join.

Belongs here: how each source writes a symbol, in both directions. What the broker tells is the house's
spelling already and is never rewritten: on other markets a dot is part of its names (``BT.A``). Keep out:
contract ids and names of files (`symbology`), Kraken's pairs (`adapters/kraken/symbols`).
"""

import re
from collections.abc import Mapping

from trading.errors import InvalidFieldError
from trading.model.contract_fields import parse_symbol
from trading.model.options import CLASS_SHARES, CLASS_UNDERLYING, underlying_of_root

HOUSE = re.compile(r"[A-Z][A-Z0-9]{0,11}( [A-Z]{1,3})?")
MARKED = re.compile(r"([A-Z][A-Z0-9]{0,11})[./-](?:([A-Z]|W[ST]|RT|UN?)|PR?[./-]?([A-Z]))")
MARKS = re.compile(r"[ ./-]")
INDEX_MARKS = "^$"
INDEXES = frozenset({"VIX1D", "VIX9D", "VVIX", *CLASS_UNDERLYING.values()})
INDEX_NAMES: Mapping[str, str] = {"GSPC": "SPX"}  # Yahoo's


def house_symbol(name: str, value: object) -> str:
    """Read a symbol that a person or a source wrote in any common spelling; field and value of a bad one are
    named, and the spelling to use where there is one.

    A root of options (``SPXW``, ``BRKB``) is no underlying, so it is refused with the name of that.
    """
    text = value.strip().upper() if isinstance(value, str) else ""
    if text[:1] in tuple(INDEX_MARKS) and len(text) > 1:
        return _index(name, text, value)
    if text in CLASS_UNDERLYING or text in CLASS_SHARES:
        expected = f"{underlying_of_root(text)}, whose options have the root {text}"
        raise InvalidFieldError(name, expected, value)
    if HOUSE.fullmatch(text):
        return text
    symbol = _with_class(text)
    if symbol is None:
        raise InvalidFieldError(name, "a symbol as SPY, SPX or BRK B", value)
    return symbol


def occ_root(symbol: str) -> str:
    """The root of a symbol's options: the symbol without the marks of a class."""
    return MARKS.sub("", symbol)


def vendor_symbol(symbol: str) -> str:
    """As Alpha Vantage is asked, and answers: ``BRK-B``, ``BAC-P-K``."""
    share, _, class_ = symbol.partition(" ")
    preferred = class_.startswith("PR") and len(class_) > len("PR")
    return "-".join(filter(None, (share, f"P-{class_[2:]}" if preferred else class_)))


def symbol_of_vendor(name: str, value: object) -> str:
    """A ticker of an article: ``BRK-B`` is the house's ``BRK B``; what is no share (``CRYPTO:BTC``) stays."""
    text = parse_symbol(name, value)
    try:
        return house_symbol(name, text)
    except InvalidFieldError:
        return text


def lean_symbol(symbol: str) -> str:
    """As the names of Lean's files and folders have it: ``brk.b``."""
    return symbol.replace(" ", ".").lower()


def symbol_of_lean(text: str) -> str:
    """The house's symbol of a share, an index or a root of options in the name of a Lean file or folder."""
    name = text.upper()
    return _with_class(name) or name


def is_same_symbol(one: str, other: str) -> bool:
    """Whether two names are of one share: the mark of a class is spelled in four ways, or left out."""
    return one == other or MARKS.sub("", one).upper() == MARKS.sub("", other).upper()


def _index(name: str, text: str, value: object) -> str:
    """``^SPX`` and ``$SPX``; a dollar stands before shares, too."""
    bare = INDEX_NAMES.get(text[1:], text[1:])
    if bare in INDEXES:
        return bare
    if text.startswith("$") and bare[:1] not in tuple(INDEX_MARKS):
        return house_symbol(name, bare)
    raise InvalidFieldError(name, f"the broker's name of an index, without {text[0]}", value)


def _with_class(text: str) -> str | None:
    """``BRK.B`` and ``BRK-B`` as ``BRK B``, ``BAC-P-K`` and ``BAC.PRK`` as ``BAC PRK``; None for others."""
    marked = MARKED.fullmatch(text)
    if marked is None:
        return None
    share, class_, preferred = marked.groups()
    return f"{share} {class_ or f'PR{preferred}'}"
