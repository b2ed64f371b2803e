"""The Dagster UI in a real headless browser: lineage, a run, checks, the P&L plot; with pictures.

`DESK_PICTURES` names the folder that the pictures go to; without it they go to the test's own.
"""

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from embedded_warehouse import start_migrated_warehouse
from real_redis import redis_binary, start_redis

from desk.stack.dagster import write_instance
from desk.stack.layout import StackLayout
from desk.stack.ports import PortReservations

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ROOT = Path(__file__).parents[2]
READY_S = 120.0
PAGE_MS = 120_000
ENDED_S = 90.0
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine"),
    pytest.mark.skipif(redis_binary() is None, reason="no redis-server on this machine"),
]


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Iterator[dict[str, str]]:
    """A desk with the books of one real file closed, its UI served, and the run that closed them."""
    home = tmp_path_factory.mktemp("ui")
    server = start_migrated_warehouse(home / "warehouse")
    redis = start_redis(Path(os.path.realpath(tmp_path_factory.mktemp("r"))))
    before = dict(os.environ)
    os.environ.update(
        CLICKHOUSE_URL=server.url,
        REDIS_URL=redis.url,
        DESK_HOME=str(home),
        DAGSTER_HOME=str(StackLayout(home).dagster),
    )
    reservations = PortReservations()
    layout, port = StackLayout(home), reservations.choose(())
    layout.make_folders()
    write_instance(layout, concurrent_runs_max=1, code_server_port=0)  # the desk's own, kind to a slow disk
    webserver = None
    try:
        run_id = _closed_books(home, server.url, shared_data)
        command = [str(Path(sys.executable).parent / "dagster-webserver"), "-h", "127.0.0.1", "-p", str(port)]
        with (home / "webserver.log").open("w") as log:
            webserver = subprocess.Popen(
                [*command, "-m", "orchestration.definitions"], cwd=ROOT, stdout=log, stderr=log
            )
        _wait_for(f"http://127.0.0.1:{port}/server_info", webserver)
        yield {"url": f"http://127.0.0.1:{port}", "run": run_id}
    finally:
        if webserver is not None:
            webserver.terminate()
            webserver.wait(ENDED_S)
        os.environ.clear()
        os.environ.update(before)
        server.stop()
        redis.kill()
        reservations.release()


@pytest.fixture(scope="module")
def page(ui: dict[str, str]) -> Iterator[Any]:
    """A tab of the browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=PAGE_MS)
        tab = browser.new_page(viewport={"width": 1600, "height": 1000})
        tab.set_default_timeout(PAGE_MS)
        yield tab
        browser.close()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pictures go."""
    folder = Path(os.environ.get("DESK_PICTURES") or tmp_path_factory.mktemp("pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_the_lineage_graph_shows_the_way_of_the_data(page: Any, ui: dict[str, str], pictures: Path) -> None:
    """The groups from the inbox to the marts stand in one graph."""
    page.goto(f"{ui['url']}/asset-groups")
    for group in ("inbox", "fills", "pnl", "reconciliation", "staging", "marts"):
        page.get_by_text(group, exact=True).first.wait_for()
    _keep(page, pictures / "lineage.png")


def test_a_run_shows_its_steps(page: Any, ui: dict[str, str], pictures: Path) -> None:
    """The run that closed the books succeeded, and its steps are there."""
    page.goto(f"{ui['url']}/runs/{ui['run']}")
    page.get_by_text("Success", exact=False).first.wait_for()
    page.get_by_text("compute_pnl").first.wait_for()
    _keep(page, pictures / "run.png")


def test_checks_of_the_fills_are_shown(page: Any, ui: dict[str, str], pictures: Path) -> None:
    """Each rule has its name and its result."""
    page.goto(f"{ui['url']}/assets/core/fills?view=checks")
    for check in ("fills_are_unique", "fill_ids_are_not_blank", "quantities_are_above_zero"):
        page.get_by_text(check).first.wait_for()
    page.get_by_text("Passed").first.wait_for()
    _keep(page, pictures / "checks.png")


def test_the_pnl_plot_is_drawn(page: Any, ui: dict[str, str], pictures: Path) -> None:
    """The picture in the metadata of the P&L is shown as a picture."""
    page.goto(f"{ui['url']}/assets/core/pnl_daily?view=events")
    shown = page.get_by_text("Show Markdown").first
    shown.wait_for()
    shown.click()
    picture = page.locator("img[src^='data:image/png']").first
    picture.wait_for()
    assert picture.evaluate("image => image.naturalWidth") > 300
    _keep(page, pictures / "pnl.png")


def test_graphql_answers_for_every_asset(ui: dict[str, str]) -> None:
    """The interface that the command line uses knows the assets and the jobs."""
    import httpx

    query = "{ assetNodes { assetKey { path } groupName } }"
    answer = httpx.post(f"{ui['url']}/graphql", json={"query": query}, timeout=60.0, trust_env=False).json()
    keys = {"/".join(node["assetKey"]["path"]) for node in answer["data"]["assetNodes"]}
    assert {"core/fills", "core/pnl_daily", "core/breaks", "marts/daily_pnl"} <= keys


def _closed_books(home: Path, url: str, shared_data: Path) -> str:
    """Land the real file and close its session; returns the run that closed it."""
    from dagster_desk import Desk, failures

    from adapters.clickhouse.client import Warehouse

    warehouse = Warehouse(url)
    with dg.DagsterInstance.get() as instance:
        desk = Desk(home=home, warehouse=warehouse, instance=instance)
        assert not failures(desk.land(shared_data / "ibkr-flex" / "today.xml"))
        closed = desk.request(desk.tick_books())
        assert not failures(closed)
    warehouse.close()
    return str(closed.run_id)


def _keep(page: Any, path: Path) -> None:
    page.wait_for_timeout(2_000)  # fonts and the layout of the graph
    page.screenshot(path=str(path))
    assert path.stat().st_size > 20_000


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        assert process.poll() is None, "the webserver ended"
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"{url} did not answer within {READY_S} s")
