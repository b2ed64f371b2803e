"""Shared rules of the suite: with CI=true a skip is a failure unless `tests/allowed_skips.txt` names it
with a reason.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ALLOWED_SKIPS = Path(__file__).parent / "allowed_skips.txt"
SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of recorded market data and statements beside the checkout; skips where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"recorded data not found at {SHARED_DATA}")
    return SHARED_DATA


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
