"""What `desk doctor` says of the vendor's plan."""

from pathlib import Path

import pytest

from adapters.configuration import load_settings
from desk.finding import Finding, Patient, Verdict
from desk.market_examination import vendors
from desk.stack.layout import StackLayout


def examined(home: Path, **names: str) -> Finding:
    """What the doctor finds in a home with these settings."""
    settings = load_settings({"DESK_HOME": str(home), **names}, with_stack=False)
    return vendors(Patient(effective=settings, configured=settings, layout=StackLayout(home)))


@pytest.mark.parametrize(
    "names",
    [
        {},
        {"ALPHA_VANTAGE_KEY": "0123456789ABCDEF", "BROKER_SIMULATED_CLOCK": "true"},
    ],
)
def test_a_vendor_that_is_not_asked_is_well(tmp_path: Path, names: dict[str, str]) -> None:
    """Without a key, and in a simulated day whose vendor would be the real one."""
    found = examined(tmp_path, **names)
    assert (found.verdict, found.detail[:27]) == (Verdict.GOOD, "Alpha Vantage is not asked:")


def test_a_plan_that_is_large_enough_is_well(tmp_path: Path) -> None:
    """Every cadence is kept."""
    found = examined(tmp_path, ALPHA_VANTAGE_KEY="0123456789ABCDEF", ALPHA_VANTAGE_PER_MINUTE="150")
    assert found.verdict is Verdict.GOOD
    assert "chains every 10.0 s" in found.detail
    assert "0123456789ABCDEF" not in found.detail


def test_a_small_plan_is_a_note_with_its_consequence(tmp_path: Path) -> None:
    """How much slower, and who computes indicators, before it is noticed in the market."""
    key = {"ALPHA_VANTAGE_KEY": "0123456789ABCDEF"}
    found = examined(tmp_path, **key)
    assert found.verdict is Verdict.NOTE
    assert "8 chains every 11.3 s" in found.detail
    assert "1.13 times" in found.detail
    daily = examined(tmp_path, **key, ALPHA_VANTAGE_PER_DAY="500")
    assert "indicators computed here" in daily.detail
    assert "vendors.yaml" in daily.mend
