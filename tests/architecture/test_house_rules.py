"""The rules of the house that no linter knows: sizes, names, one driver to one folder, texts that must not
be there.
"""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[2]
ROOMS = (
    "adapters", "assets", "dbt_like_models", "desk", "orchestration",
    "sensors", "simulation", "sql", "trading", "warehouse_server",
)  # fmt: skip
FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 400
DRIVERS = {  # package -> the only folders that may import it
    "clickhouse_connect": ("adapters/clickhouse",),
    "redis": ("adapters/redis",),
    "ib_insync": ("adapters/ibkr/session/client_library.py",),  # so that ib_async can take its place
    "ib_async": ("adapters/ibkr/session/client_library.py",),
    "eventkit": (),
    "chdb": ("warehouse_server",),
    "_chdb": ("warehouse_server",),
    "great_expectations": ("adapters/quality",),
    "matplotlib": ("adapters/plots",),
    "defusedxml": ("adapters/ibkr",),
    "sqlglot": ("adapters/clickhouse",),
    "jinja2": ("adapters/clickhouse", "dbt_like_models"),
    "dagster": ("assets", "sensors", "orchestration"),
    "typer": ("desk",),
}
VAGUE_NAMES = re.compile(r"(^|_)(utils?|helpers?|common|manager|misc|stuff)(_|$)")


def _source_files() -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    return [ROOT / name for name in names if name.split("/")[0] in ROOMS and (ROOT / name).exists()]


SOURCES = _source_files()


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""


def _relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=_relative)
def test_a_file_says_what_it_is_and_fits_on_the_desk(path: Path) -> None:
    """Each module opens with a docstring and stays under the size a reader can hold."""
    tree = _tree(path)
    assert ast.get_docstring(tree), f"{_relative(path)} has no docstring"
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= FILE_LINES_MAX, f"{_relative(path)} has {lines} lines"


@pytest.mark.parametrize("path", SOURCES, ids=_relative)
def test_no_function_is_longer_than_a_screen(path: Path) -> None:
    """No function has more than sixty lines."""
    long = [
        f"{node.name} ({node.end_lineno - node.lineno + 1})"
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > FUNCTION_LINES_MAX
    ]
    assert not long, f"{_relative(path)}: {', '.join(long)}"


@pytest.mark.parametrize("path", SOURCES, ids=_relative)
def test_a_driver_is_imported_in_its_one_folder_only(path: Path) -> None:
    """Each outside library that talks to the world has one adapter folder."""
    name = _relative(path)
    for module in _imports(_tree(path)):
        allowed = DRIVERS.get(module.split(".")[0])
        assert allowed is None or name.startswith(allowed), f"{name} imports {module}"


@pytest.mark.parametrize("path", SOURCES, ids=_relative)
def test_names_say_what_a_thing_is(path: Path) -> None:
    """No module is called utils, helpers, common or manager."""
    for part in path.relative_to(ROOT).with_suffix("").parts:
        assert not VAGUE_NAMES.search(part), _relative(path)


def test_the_tests_are_no_package() -> None:
    """A dependency installs a top-level package named tests; ours must not be importable in its place."""
    assert not list((ROOT / "tests").rglob("__init__.py"))


def test_drawn_examples_are_the_same_in_every_run_and_have_no_deadline() -> None:
    """A change is refused for what it does, not for what was drawn or because the machine was busy."""
    assert settings.default is not None
    assert (settings.default.derandomize, settings.default.deadline) == (True, None)


def test_the_lock_files_pin_by_hash_and_name_no_host() -> None:
    """Each locked package has a hash, and no address of a package registry is written down."""
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        assert "://" not in text, name
        pins = re.findall(r"^[A-Za-z0-9_.\-\[\]]+==.*$", text, re.MULTILINE)
        assert len(pins) > 50, name
        assert all(pin.endswith("\\") for pin in pins), name
    assert not (ROOT / "uv.lock").exists()


def test_every_fixed_folder_has_content() -> None:
    """The top level that the user fixed is there, and no folder of it is empty."""
    for folder in ("orchestration", "assets", "sensors", "sql", "dbt_like_models", "tests"):
        assert len([item for item in (ROOT / folder).rglob("*") if item.is_file()]) > 1, folder
    assert (ROOT / "workspace.yaml").is_file()
    assert (ROOT / "pyproject.toml").is_file()


def test_unfinished_work_is_not_marked_in_the_code() -> None:
    """What is missing stands in the documentation, not in a note that nobody reads."""
    marks = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XXX|HACK)\b|NotImplemented" + r"Error")
    found = [_relative(path) for path in SOURCES if marks.search(path.read_text(encoding="utf-8"))]
    assert not found
