"""Shared rules of the suite: with CI=true a skip is a failure unless `tests/allowed_skips.txt` names it
with a reason. And what tests of several folders stand on: recorded data, a migrated warehouse.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # the environment of the second client library has no warehouse
    from embedded_warehouse import RunningWarehouse

    from adapters.clickhouse.client import Warehouse

# The suite starts some hundreds of processes. Where bytecode is not kept, each of them compiles all that it
# imports (pandas alone: a second), and so does pytest with every file of tests in every worker.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# What a script starts in the background ignores Ctrl-C, and so would every command that a test interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The gate's answer is of the code, not of the draw or of how busy the machine is: each run draws the same
# examples, and none has a deadline. `--hypothesis-profile default` searches on.
with contextlib.suppress(ImportError):  # the environment of the second client library draws none
    from hypothesis import HealthCheck
    from hypothesis import settings as drawing

    drawing.register_profile(
        "gate", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
    )
    drawing.load_profile("gate")

DEAR_FOLDERS = frozenset({"browser", "dagster", "scenario"})  # a file of theirs takes up to minutes

ALLOWED_SKIPS = Path(__file__).parent / "allowed_skips.txt"
SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


def pytest_configure(config: pytest.Config) -> None:
    """Workers take the files in the order of collection: left to itself xdist ends with those of one test."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Dear files first, so that at the end no worker waits for another's."""
    items.sort(key=lambda item: item.path.parent.name not in DEAR_FOLDERS)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of recorded market data and statements beside the checkout; skips where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"recorded data not found at {SHARED_DATA}")
    return SHARED_DATA


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[RunningWarehouse]":
    """One embedded server with its schema for the tests of a module."""
    pytest.importorskip("chdb", reason="the embedded engine is not installed")
    from embedded_warehouse import start_migrated_warehouse

    running = start_migrated_warehouse(tmp_path_factory.mktemp("warehouse"))
    yield running
    running.stop()


@pytest.fixture
def warehouse(server: "RunningWarehouse") -> "Iterator[Warehouse]":
    """That server, with every table of the schema empty."""
    from adapters.clickhouse.client import Warehouse

    client = Warehouse(server.url)
    tables = client.rows(
        "select database, name from system.tables where database in ('core', 'audit', 'raw', 'metrics') "
        "and engine like '%MergeTree' and name != 'schema_migrations' and total_rows > 0"
    )
    for table in tables:
        client.command(f"truncate table {table['database']}.{table['name']}")
    yield client
    client.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Turn an unlisted skip into a failure where CI=true."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    is_skip = report.skipped and not hasattr(report, "wasxfail")
    if is_skip and os.environ.get("CI") == "true" and not _is_allowed(item.nodeid):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI without a line in tests/allowed_skips.txt: {report.longrepr}"


def _is_allowed(nodeid: str) -> bool:
    lines = ALLOWED_SKIPS.read_text().splitlines()
    names = [line.split("#")[0].strip() for line in lines if line.strip() and not line.startswith("#")]
    return any(nodeid.startswith(name) for name in names if name)
