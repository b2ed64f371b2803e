"""The sensors on a real warehouse: two quiet ticks, one run for one content, bounded attempts."""

from pathlib import Path

import dagster as dg
import pytest
from dagster_desk import Desk, failures

from sensors.inbox import ATTEMPTS_MAX, WORK_TAG

KRAKEN = "kraken-futures/http_futures_fills.json"
pytestmark = pytest.mark.timeout(600)


def test_files_land_after_two_quiet_ticks_under_their_hash(desk: Desk, shared_data: Path) -> None:
    """The first tick only looks; the run key is the content's hash; a repeated tick asks for the same run."""
    (desk.inbox / "fills.json").write_bytes((shared_data / KRAKEN).read_bytes())
    (desk.inbox / "half.xml.part").write_bytes(b"<Flex")
    assert not desk.tick().run_requests
    (asked,) = desk.tick().run_requests
    (again,) = desk.tick().run_requests
    assert len(asked.run_key) == 64
    assert again.run_key == asked.run_key
    landing = dg.DagsterRun(job_name="land_inbox", status=dg.DagsterRunStatus.STARTED)
    desk.instance.add_run(landing)
    assert not desk.tick().run_requests  # one landing at a time
    desk.instance.delete_run(landing.run_id)
    result = desk.run(asked.job_name, asked.run_config, asked.tags)
    assert not failures(result)
    assert desk.landed()["fills.json"]["state"] == "landed"
    assert desk.landed()["fills.json"]["new_rows"] == 3
    assert not desk.tick().run_requests


def test_a_refused_file_shows_its_reason_and_is_tried_again_when_it_changes(desk: Desk) -> None:
    """A file that nobody wrote is refused; another content under its name is a new try."""
    (desk.inbox / "letter.txt").write_text("Dear desk")
    desk.tick()
    assert not failures(desk.request(desk.tick()))
    assert desk.landed()["letter.txt"]["state"] == "refused"
    assert "expected" in desk.landed()["letter.txt"]["reason"]
    assert not desk.tick().run_requests
    (desk.inbox / "letter.txt").write_text("Dear desk, again")
    assert not desk.tick().run_requests
    assert desk.tick().run_requests


def test_a_link_is_refused_by_the_tick_itself(desk: Desk) -> None:
    """What must not be opened is never handed to a run."""
    (desk.inbox / "letter.txt").unlink(missing_ok=True)
    (desk.inbox / "link.xml").symlink_to(desk.home)
    desk.tick()
    assert not desk.tick().run_requests
    assert desk.landed()["link.xml"]["state"] == "refused"


def test_books_are_closed_for_the_range_of_landed_files_once(desk: Desk) -> None:
    """The books sensor asks for the sessions that landed files touch; while a run is on its way it waits."""
    (asked,) = desk.tick_books().run_requests
    landed = desk.landed()["fills.json"]
    assert asked.tags["dagster/asset_partition_range_start"] == landed["first_session"].isoformat()
    assert asked.tags["dagster/asset_partition_range_end"] == landed["last_session"].isoformat()
    running = desk.instance.add_run(
        dg.DagsterRun(job_name="close_the_books", tags=asked.tags, status=dg.DagsterRunStatus.STARTED)
    )
    assert desk.tick_books().skip_message
    desk.instance.delete_run(running.run_id)


def test_a_run_that_failed_is_asked_for_again_under_its_next_attempt(desk: Desk) -> None:
    """A key that was used up by a failed run does not bury the work; after some attempts a person looks."""
    (asked,) = desk.tick_books().run_requests
    tags = {WORK_TAG: asked.tags[WORK_TAG]}
    keys = [asked.run_key]
    for _ in range(ATTEMPTS_MAX):
        failed = dg.DagsterRun(job_name="close_the_books", tags=tags, status=dg.DagsterRunStatus.FAILURE)
        desk.instance.add_run(failed)
        keys += [request.run_key for request in desk.tick_books().run_requests]
    assert keys == [asked.run_key, *(f"{asked.run_key}:{attempt}" for attempt in range(2, ATTEMPTS_MAX + 1))]
