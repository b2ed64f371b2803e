"""A played session's market is shown by a run that ended well; one that was killed leaves it to the next."""

from datetime import date

import pytest

from desk.dagster_api import DagsterApi, RunView
from desk.live_market import MARKET_JOB, assets_are_shown

DAY = date(2026, 11, 13)


class Runs(DagsterApi):
    """An interface that answers with these runs."""

    def __init__(self, *known: RunView) -> None:
        self._known = known

    def runs(self, statuses: tuple[str, ...] = (), limit: int = 100) -> list[RunView]:  # type: ignore[override]
        """Those in the statuses."""
        return [run for run in self._known if run.status in statuses][:limit]


def run(job: str = MARKET_JOB, status: str = "SUCCESS", day: date = DAY) -> RunView:
    """A run over one session."""
    first = day.isoformat()
    return RunView(
        run_id="r", job=job, status=status, first=first, last=first, created_at=0, updated_at=0, steps_done=1
    )


@pytest.mark.parametrize(
    ("known", "is_shown"),
    [
        ((), False),
        ((run(),), True),
        ((run(status="FAILURE"),), False),
        ((run(job="reconcile_session"), run(day=date(2026, 11, 12))), False),
        ((run(status="CANCELED"), run()), True),
    ],
)
def test_only_a_run_that_ended_well_has_shown_it(known: tuple[RunView, ...], is_shown: bool) -> None:
    """Of that job, over that session."""
    assert assets_are_shown(DAY, Runs(*known)) is is_shown
