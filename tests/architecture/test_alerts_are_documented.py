"""Every alert that a person can be shown is defined, stands in the page that says what to do, and ends."""

import ast
from collections.abc import Iterator
from pathlib import Path

from adapters.ibkr.session.codes import REACTIONS, About
from trading.model.alerts import CONDITIONS, DEFINITIONS, LINK_CODES, UNDEFINED, definition_of

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "alerts.md"
ROOMS = ("adapters", "assets", "desk", "orchestration", "sensors", "trading")
MARK = "shows_the_end_of"
RAISING = {  # the place of the code among the arguments
    "raise_alert": 0,
    "end_alert": 0,
    "alert": 0,
    "over": 0,
    "tell": 0,
    "refused": 0,
    "_code": 0,
}
TELLING = ("adapters/redis/", "trading/feeds/", "trading/services/")  # where `tell` and `refused` mean alerts
COMPONENTS = {"adapters/ibkr/market": "ingest_", "adapters/ibkr/session": "broker_"}


def _literal(node: ast.expr, constants: dict[str, str]) -> str:
    """The beginning of a code as far as the text says it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Name):
        return constants.get(node.id, "")
    if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
        return str(node.values[0].value)
    return ""


def _constants(tree: ast.Module) -> dict[str, str]:
    named = [(each.targets[0], each.value) for each in tree.body if isinstance(each, ast.Assign)]
    return {
        name.id: value.value
        for name, value in named
        if isinstance(name, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str)
    }


def _codes_of(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = _constants(tree)
    prefix = next(
        (said for room, said in COMPONENTS.items() if str(path.relative_to(ROOT)).startswith(room)), ""
    )
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name not in RAISING or not node.args:
            continue
        if name in ("tell", "refused") and not str(path.relative_to(ROOT)).startswith(TELLING):
            continue
        if name in ("alert", "over") and not prefix:
            continue
        code = _literal(node.args[RAISING[name]], constants)
        if code:
            yield prefix + code


def codes() -> set[str]:
    """Every code, or its beginning."""
    paths = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    return {code for path in paths for code in _codes_of(path)}


def test_every_alert_has_its_row() -> None:
    """Who is woken by a code finds it, when it is over, and what to do."""
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    for each in DEFINITIONS:
        name = each.code
        if name.rpartition("_")[2].isdigit():  # one of the link's codes, which share a row
            name = name.rpartition("_")[0] + "_<number>` of 326, 503, 506, 507, 1100, 1300, 2110, 10197"
        named = [row for row in rows if f"`{name}" in row.split(" | ")[0]]
        assert named, each.code
        ends = {row.split(" | ")[2] for row in named}
        expected = each.ends or "said once"
        assert any(told.startswith(expected) for told in ends), (each.code, expected, ends)
    assert {code for code in codes() if not any(f"`{code}" in row for row in rows)} == set()


def test_every_alert_is_defined() -> None:
    """An event or a condition: never by chance of how it is raised."""
    assert {code for code in codes() if definition_of(code) is UNDEFINED and not _begins(code)} == set()


def _begins(code: str) -> bool:
    """Whether what the text says of a composed code is the beginning of a defined one."""
    return any(each.code.startswith(code) for each in DEFINITIONS)


def test_the_codes_about_the_link_are_those_that_the_session_alerts() -> None:
    """Each of them is over when the link is ready."""
    told = {code for code, each in REACTIONS.items() if each.about is About.LINK and each.alert}
    assert told == set(LINK_CODES)


def marked_tests() -> dict[str, list[str]]:
    """By code the tests that are marked to show its end."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if MARK not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and getattr(mark.func, "id", "") == MARK:
                    for code in mark.args:
                        assert isinstance(code, ast.Constant)
                        found.setdefault(str(code.value), []).append(f"{path.name}::{node.name}")
    return found


def test_every_condition_has_a_test_that_shows_its_end() -> None:
    """A condition that nobody ends is open for ever."""
    assert set(CONDITIONS) - set(marked_tests()) == set()


def test_the_search_finds_alerts_of_every_form() -> None:
    """A literal, a constant, the beginning of a composed one, those of a component, those of a client."""
    assert codes() >= {
        "drain_stuck",
        "market_drain_stuck",
        "feed_stale",
        "ingest_code_",
        "broker_clock_skew",
        "market_outbox_full",
    }
