"""Building typed settings: what is wrong is refused with the key's name."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum

import pytest

from adapters.configuration.building import build
from trading.errors import ConfigurationError


class Color(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    wide: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    count: int
    limit: Decimal
    at: time
    color: Color
    inner: Inner
    by_name: Mapping[str, Inner]
    note: str | None = None
    day: date | None = None


GOOD = {
    "count": 3,
    "limit": "0.005",
    "at": "06:30",
    "color": "blue",
    "inner": {"wide": True},
    "by_name": {"a": {"wide": False}},
}


def test_every_kind_of_value_is_built() -> None:
    """Plain YAML values become the types that the hints name."""
    built = build(Outer, GOOD, "outer")
    assert built == Outer(
        count=3,
        limit=Decimal("0.005"),
        at=time(6, 30),
        color=Color.BLUE,
        inner=Inner(wide=True),
        by_name={"a": Inner(wide=False)},
    )


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("count", "three", "outer.count: expected a whole number, was 'three'"),
        ("count", True, "outer.count: expected a whole number"),
        ("count", 1.5, "outer.count: expected a whole number"),
        ("limit", 0.005, "outer.limit: expected a decimal number in quotes"),
        ("limit", "cheap", "outer.limit: expected a decimal number"),
        ("limit", "NaN", "outer.limit: expected a finite number"),
        ("at", 630, "outer.at: expected a time in quotes"),
        ("at", "25:00", "outer.at: expected a time in quotes"),
        ("color", "green", "outer.color: expected one of red, blue, was 'green'"),
        ("inner", 5, "outer.inner: expected a mapping"),
        ("inner", {"wide": "yes"}, "outer.inner.wide: expected true or false"),
        ("inner", {}, "outer.inner.wide: missing"),
        ("by_name", {"a": {"wide": None}}, "outer.by_name.a.wide: expected a value, was empty"),
        ("note", 5, "outer.note: expected text"),
        ("day", "yesterday", "outer.day: expected a day (2026-11-13)"),
        ("day", datetime(2026, 11, 13, 9, 30), "outer.day: expected a day"),
    ],
)
def test_a_wrong_value_is_refused_by_its_key(key: str, value: object, words: str) -> None:
    """The message starts with the full key and says what was expected."""
    with pytest.raises(ConfigurationError) as refusal:
        build(Outer, {**GOOD, key: value}, "outer")
    assert str(refusal.value).startswith(words)


@pytest.mark.parametrize(("text", "meant"), [("true", True), ("1", True), ("false", False), ("0", False)])
def test_the_environment_says_yes_and_no_in_text(text: str, meant: bool) -> None:
    """A variable has no other way to say it; anything else stays refused."""
    assert build(Inner, {"wide": text}, "inner") == Inner(wide=meant)


@pytest.mark.parametrize("value", ["2026-11-13", date(2026, 11, 13)])
def test_a_day_comes_from_yaml_or_from_text(value: object) -> None:
    """YAML reads a day by itself, a variable brings text."""
    assert build(Outer, {**GOOD, "day": value}, "outer").day == date(2026, 11, 13)


def test_an_unknown_key_is_refused_with_the_nearest_known_one() -> None:
    """A typing error in a key never means the default."""
    with pytest.raises(ConfigurationError, match=r"outer\.limitt: unknown setting; did you mean limit\?"):
        build(Outer, {**GOOD, "limitt": "1"}, "outer")
