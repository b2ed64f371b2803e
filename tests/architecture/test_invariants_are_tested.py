"""The table of invariants and traps names tests that are there."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "invariants.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def _rows() -> list[str]:
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    return [
        line
        for line in lines
        if line.startswith("| ") and not line.startswith(("| ---", "| invariant |", "| trap |"))
    ]


def test_every_row_names_a_test() -> None:
    """An invariant without a test is a wish."""
    assert len(_rows()) > 20
    assert [row for row in _rows() if not NAMED.search(row)] == []


def test_every_named_test_is_there() -> None:
    """A test that was renamed or deleted takes its row along."""
    named = {(path, name) for row in _rows() for path, name in NAMED.findall(row)}
    assert [item for item in sorted(named) if item[1] not in _tests_of(ROOT / item[0])] == []


def _tests_of(path: Path) -> set[str]:
    if not path.is_file():
        return set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
