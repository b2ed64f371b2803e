"""The folder of models as it stands, built by dbt itself elsewhere: the same rows as our runner's.

`DBT_EXECUTABLE` names a dbt with the ClickHouse adapter; without it one is installed into the test's folder.
"""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from dagster_desk import Desk, failures

import dbt_like_models
from adapters.configuration import load_settings

PACKAGES = ("dbt-core<1.12", "dbt-clickhouse")  # 1.12 fetches a part of itself from outside of the index
SESSION = "2026-09-28"
pytestmark = [pytest.mark.soak, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The dbt command."""
    given = os.environ.get("DBT_EXECUTABLE")
    if given:
        return given
    folder = tmp_path_factory.mktemp("dbt")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    subprocess.run([str(folder / "bin" / "pip"), "install", "-q", *PACKAGES], check=True)
    return str(folder / "bin" / "dbt")


def test_dbt_builds_the_unchanged_models_to_the_same_rows(
    desk: Desk, dbt: str, shared_data: Path, tmp_path: Path
) -> None:
    """Every model and test passes under dbt, in full and by sessions, and the marts hold what ours hold."""
    assert not failures(desk.land(shared_data / "ibkr-flex" / "today.xml"))
    assert not failures(desk.request(desk.tick_books()))
    ours = _marts(desk)
    for arguments in ((), ("--vars", f"{{first_session: '{SESSION}', last_session: '{SESSION}'}}")):
        told = _build(dbt, tmp_path, *arguments)
        assert "ERROR=0" in told, told[-3000:]
        assert "WARN=0" in told, told[-3000:]
        assert _marts(desk) == ours


def _build(dbt: str, target: Path, *arguments: str) -> str:
    warehouse = urlsplit(load_settings().services.warehouse_url or "")
    environment = {
        **os.environ,
        "DBT_CLICKHOUSE_PORT": str(warehouse.port),
        "DBT_CLICKHOUSE_PASSWORD": warehouse.password or "",
        "DBT_TARGET_PATH": str(target),
        "DBT_LOG_PATH": str(target),
    }
    done = subprocess.run(
        [dbt, "build", "--profiles-dir", ".", *arguments],
        cwd=dbt_like_models.FOLDER, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout


def _marts(desk: Desk) -> dict[str, list[dict[str, object]]]:
    tables = desk.warehouse.rows(
        "select name from system.tables where database = 'marts' and engine != 'View'"
    )
    return {
        row["name"]: desk.warehouse.rows(f"select * from marts.{row['name']} order by all") for row in tables
    }
