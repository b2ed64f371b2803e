"""What a function remembers has a bound, or can only be asked few things: residents live for months."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("adapters", "assets", "dbt_like_models", "desk", "orchestration", "sensors", "simulation", "sql")
ROOMS += ("trading", "warehouse_server")
FEW_ANSWERS = {  # without a bound, and why there are few
    "adapters/quality/one_question.py:no_rows_expectation": "no argument",
    "adapters/redis/columns.py:_columns_once": "by type of row",
    "adapters/redis/connection.py:_script": "by script of ours",
    "assets/sessions.py:exchange_sessions": "no argument",
    "assets/sessions.py:market_sessions": "no argument",
    "desk/play_folder.py:_first_recorded": "the folder of one played session",
    "desk/play_folder.py:_session_after_the_month": "no argument",
    "desk/stack/residents.py:live_state": "no argument",
    "simulation/market/profile.py:move_weights": "by length of a session",
    "simulation/market/profile.py:trade_weights": "by length of a session",
    "simulation/market/profile.py:variance_left": "by length of a session",
    "sql/__init__.py:query": "by file of ours",
    "trading/calendar.py:_sessions": "by end of the calendar, which is one",
    "trading/pnl/bulk.py:_compiled": "no argument",
}


def remembering() -> Iterator[tuple[str, bool]]:
    """Every function with a cache, and whether the cache has a bound."""
    asked = ["git", "ls-files", *(f"{room}/**.py" for room in ROOMS), *(f"{room}/*.py" for room in ROOMS)]
    names = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for name in sorted(set(names)):
        for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                for each in filter(None, map(_bound, node.decorator_list)):
                    yield f"{name}:{node.name}", each != "None"


def _bound(decorator: ast.expr) -> str:
    """What a cache is bounded by, as it is written; empty where it is none."""
    shown = ast.unparse(decorator).removeprefix("functools.")
    if shown == "cache":
        return "None"
    if not shown.startswith("lru_cache"):
        return ""
    if not isinstance(decorator, ast.Call):
        return "128"  # of the language
    values = [*decorator.args, *(each.value for each in decorator.keywords if each.arg == "maxsize")]
    return ast.unparse(values[0]) if values else "128"


def test_a_cache_without_a_bound_is_one_of_those_that_have_few_answers() -> None:
    """Contracts, prices, times and keys come without end; a new cache of them needs its maximum."""
    found = dict(remembering())
    assert sum(found.values()) > 20
    assert {name for name, is_bounded in found.items() if not is_bounded} == set(FEW_ANSWERS)
