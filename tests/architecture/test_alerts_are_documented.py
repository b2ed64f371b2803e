"""Every alert that a person can be shown stands in the page that says what to do."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "alerts.md"
ROOMS = ("adapters", "assets", "desk", "orchestration", "sensors", "trading")
RAISING = {"raise_alert": 0, "alert": 0, "_code": 0}  # the place of the code among the arguments
OF_A_CLIENT = 1  # alert(client, code, text)
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
        place = OF_A_CLIENT if isinstance(node.func, ast.Name) and name == "alert" else RAISING[name]
        code = _literal(node.args[place], constants) if len(node.args) > place else ""
        if code:
            yield prefix + code


def codes() -> set[str]:
    """Every code, or its beginning."""
    paths = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    return {code for path in paths for code in _codes_of(path)}


def test_every_alert_has_its_row() -> None:
    """Who is woken by a code finds it, and what to do."""
    page = PAGE.read_text(encoding="utf-8")
    assert {code for code in codes() if f"`{code}" not in page} == set()


def test_the_search_finds_alerts_of_every_form() -> None:
    """A literal, a constant, the beginning of a composed one, those of a component, those of a client."""
    assert codes() >= {
        "vendor_key_refused",
        "market_drain_stuck",
        "lock-",
        "feed_stale",
        "ingest_code_",
        "broker_clock_skew",
        "market_outbox_full",
    }
