"""The broker's own Python client against the simulated gateway: a referee that no part of this project wrote.

It is installed into an environment of its own, since it may not be shipped with the project;
`OFFICIAL_CLIENT_PYTHON` names an interpreter that has one already.
"""

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from simulation.gateway import GatewayPlan, run_in_thread

SCRIPT = Path(__file__).with_name("scripted_client.py")
PACKAGES = (
    "nautilus_ibapi==10.19.4",
    "ibapi-stable==10.50.2",
)  # one client of two ages
SCRIPT_S = 240
PLAN = GatewayPlan(session=date(2026, 11, 13), speed=20.0, orders=0)  # the opening is three seconds away
BROKEN = (320, 501, 502, 503, 504, 505, 507)  # not understood, or the link is gone
pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]
Told = list[tuple[str, dict[str, Any]]]


@pytest.fixture(scope="module", params=PACKAGES)
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter that has one release of the official client."""
    given = os.environ.get("OFFICIAL_CLIENT_PYTHON")
    if given:
        return given
    folder = tmp_path_factory.mktemp("official")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    subprocess.run([str(folder / "bin" / "pip"), "install", "-q", request.param], check=True)
    return str(folder / "bin" / "python")


@pytest.fixture(scope="module")
def told(python: str) -> Told:
    """Every callback of the scripted session, in order."""
    with run_in_thread(PLAN) as gateway:
        done = subprocess.run(
            [python, str(SCRIPT), str(gateway.port)],
            capture_output=True, text=True, timeout=SCRIPT_S, check=False,
        )  # fmt: skip
    assert done.returncode == 0, f"{done.stderr[-2000:]}\n{done.stdout[-2000:]}"
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


def _all(told: Told, name: str) -> list[dict[str, Any]]:
    return [fields for said, fields in told if said == name]


def test_the_official_client_understands_every_message(told: Told) -> None:
    """A bracket, quotes, depth, bars, questions: no message is refused, none breaks off the connection."""
    broken = [
        error for error in _all(told, "error") if error["errorCode"] in (320, 501, 502, 503, 504, 505, 507)
    ]
    assert not broken


def test_the_executions_told_live_and_asked_for_are_the_same(told: Told) -> None:
    """Each execution that the stream told is in the answer to the executions request, and nothing else."""
    executions = _all(told, "execDetails")
    live = {row["execution"]["execId"] for row in executions if row["reqId"] == -1}
    asked = {row["execution"]["execId"] for row in executions if row["reqId"] == 301}
    assert live
    assert live <= asked


def test_each_execution_has_a_fee(told: Told) -> None:
    """One commission report for each execution of the session."""
    fees = [*_all(told, "commissionReport"), *_all(told, "commissionAndFeesReport")]
    reported = {next(iter(row.values()))["execId"] for row in fees}
    live = {row["execution"]["execId"] for row in _all(told, "execDetails") if row["reqId"] == -1}
    assert live <= reported


def test_a_bought_and_sold_position_is_flat(told: Told) -> None:
    """What was bought by the parent and sold by the closing order leaves nothing."""
    bought = next(row for row in _all(told, "execDetails"))["contract"]["conId"]
    held = [row for row in _all(told, "position") if row["contract"]["conId"] == bought]
    assert all(float(row["position"] if "position" in row else row["pos"]) == 0 for row in held)


def test_a_what_if_order_has_margins_and_stays_unplaced(told: Told) -> None:
    """The answer to a what-if order carries margin and commission; it never works."""
    first = min(row["orderId"] for row in _all(told, "openOrder"))
    answer = next(row for row in _all(told, "openOrder") if row["orderId"] == first)
    assert float(answer["orderState"]["initMarginAfter"]) > 0
    assert not [row for row in _all(told, "orderStatus") if row["orderId"] == first]
