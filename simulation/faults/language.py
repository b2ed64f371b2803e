"""The words of a fault: patterns with named places, read strictly; errors name the word that is wrong.

A pattern is text such as `correct last execution quantity <quantity>`. A place is a name in angle brackets;
its name says how it is read (`PLACES`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

WORDS_MOST = 40
Values = Mapping[str, Any]


class ScriptError(ValueError):
    """A line that cannot be read; the text says which line, which word, and what was expected."""


def _whole(word: str) -> int:
    return int(word)


def _money(word: str) -> Decimal:
    try:
        return Decimal(word)
    except InvalidOperation as error:
        raise ValueError(word) from error


def _seconds(word: str) -> float:
    value = float(word)
    if not 0 <= value < 1_000_000:
        raise ValueError(word)
    return value


def _many(word: str) -> int:
    value = int(word)
    if not 1 <= value <= 100_000:
        raise ValueError(word)
    return value


def _side(word: str) -> str:
    if word not in ("BUY", "SELL"):
        raise ValueError(word)
    return word


@dataclass(frozen=True, slots=True)
class Place:
    """How a place is read, and what to call it in an error."""

    read: Callable[[str], Any]
    expected: str
    takes_rest: bool = False


PLACES: Mapping[str, Place] = {
    "count": Place(_many, "a number from 1 on"),
    "quantity": Place(_many, "a quantity from 1 on"),
    "change": Place(_money, "a number"),
    "price": Place(_money, "a price"),
    "seconds": Place(_seconds, "seconds"),
    "code": Place(_whole, "a code"),
    "number": Place(_whole, "a whole number"),
    "side": Place(_side, "BUY or SELL"),
    "symbol": Place(str, "a symbol"),
    "word": Place(str, "a word"),
    "text": Place(str, "a text", takes_rest=True),
}


@dataclass(frozen=True, slots=True)
class Match:
    """How far words fit a pattern: all of them (`values`), or up to a word that was not `expected`."""

    reached: int
    expected: str
    values: dict[str, Any] | None


def match(pattern: str, words: Sequence[str]) -> Match:
    """Read words by a pattern."""
    values: dict[str, Any] = {}
    parts = pattern.split()
    for place, part in enumerate(parts):
        expected, read = _expected(part)
        if place >= len(words):
            return Match(place, expected, None)
        if read is None:
            if words[place] != part:
                return Match(place, expected, None)
            continue
        text = " ".join(words[place:]) if read.takes_rest else words[place]
        try:
            values[part.strip("<>")] = read.read(text)
        except ValueError:
            return Match(place, expected, None)
        if read.takes_rest:
            return Match(len(words), "", values)
    if len(words) > len(parts):
        return Match(len(parts), "the end of the line", None)
    return Match(len(words), "", values)


def best_match(patterns: Sequence[str], words: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """The pattern that fits, with its values; else an error that names the first word nobody expected."""
    if len(words) > WORDS_MOST:
        raise ScriptError(f"expected at most {WORDS_MOST} words, was {len(words)}")
    matches = [(pattern, match(pattern, words)) for pattern in patterns]
    for pattern, found in matches:
        if found.values is not None:
            return pattern, found.values
    furthest = max(found.reached for _, found in matches)
    expected = sorted({found.expected for _, found in matches if found.reached == furthest})
    word = words[furthest] if furthest < len(words) else "the end of the line"
    raise ScriptError(f"word {furthest + 1}: expected {' or '.join(expected)}, was {word}")


def _expected(part: str) -> tuple[str, Place | None]:
    if part.startswith("<"):
        place = PLACES[part.strip("<>")]
        return place.expected, place
    return f'"{part}"', None
