"""A day whose statements come from the broker's web service: fetched, landed, reconciled without a break."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from dagster_desk import Desk, failed_checks, failures

from simulation.http.flex import FlexStub, one_answer, serve_flex
from simulation.sample_desk.journal import Journal
from simulation.sample_desk.writing import write_sample_desk

TOKEN = "998877665544332211009988"
SEED = 11
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Journal]:
    """One session of the sample desk, honest, with two accounts."""
    directory = tmp_path_factory.mktemp("sample")
    return directory / "inbox", write_sample_desk(
        directory, SEED, planted=False, sessions=1, accounts=2, venues=False
    )


@pytest.fixture
def stub(journal: tuple[Path, Journal], monkeypatch: pytest.MonkeyPatch) -> Iterator[FlexStub]:
    """The broker's service: one query over both accounts, each reference in the making for a while."""
    files, _ = journal
    statements = {
        name: one_answer(path.read_bytes() for path in sorted(files.glob(f"*_{name}.xml")))
        for name in ("activity", "confirmation")
    }
    with serve_flex(statements, token=TOKEN, polls=2) as running:
        assert isinstance(running, FlexStub)
        told = {
            "IBKR_FLEX_TOKEN": TOKEN,
            "IBKR_FLEX_ACTIVITY_QUERY": "activity",
            "IBKR_FLEX_CONFIRMATION_QUERY": "confirmation",
            "IBKR_FLEX_URL": running.base_url,
            "IBKR_FLEX_INTERVAL_MS": "0",
            "IBKR_FLEX_BACKOFF_MS": "0",
        }
        for name, value in told.items():
            monkeypatch.setenv(name, value)
        yield running


def fetch(desk: Desk, query: str, session: date) -> None:
    """A run as the schedule asks for it."""
    config = {"ops": {"fetch_statement": {"config": {"query": query, "session": session.isoformat()}}}}
    done = desk.run("fetch_statements", config)
    assert not failures(done)


def land_and_close(desk: Desk) -> set[str]:
    """What the sensors do with what lies in the inbox; the checks that failed."""
    desk.tick()
    landed = desk.request(desk.tick())
    assert not failures(landed)
    closed = desk.request(desk.tick_books())
    assert not failures(closed)
    return failed_checks(closed)


def test_a_day_is_fetched_landed_and_proved(
    desk: Desk, journal: tuple[Path, Journal], stub: FlexStub
) -> None:
    """Live fills, the evening's confirmations, the morning's statement: the journal, and not one break."""
    files, truth = journal
    session = date.fromisoformat(truth.fills[0]["session"])
    for path in files.glob("*.jsonl"):
        (desk.inbox / path.name).write_bytes(path.read_bytes())
    fetch(desk, "confirmation", session)
    fetch(desk, "activity", session)
    assert not land_and_close(desk)
    fetched = sorted(path.name.split("-2026")[0] for path in desk.inbox.glob("flex-*.xml"))
    assert fetched == ["flex-activity-2-accounts", "flex-confirmation-2-accounts"]
    assert desk.warehouse.value("select count() from core.breaks") == 0
    fills = desk.warehouse.rows("select account, fill_id from core.fills order by account, fill_id")
    told = sorted((row["account"], row["fill_id"]) for row in truth.fills)
    assert [(row["account"], row["fill_id"]) for row in fills] == told
    states = desk.warehouse.rows(
        "select account, argMax(state, decided_at) as state from core.sign_offs group by account"
    )
    assert {row["state"] for row in states} == {"reconciled"}
    assert len(states) == len(truth.accounts)


def test_the_same_statement_fetched_again_is_landed_once(desk: Desk, stub: FlexStub, journal: object) -> None:
    """The bytes decide: what was there already asks for no run."""
    assert isinstance(journal, tuple)
    session = date.fromisoformat(journal[1].fills[0]["session"])
    fetch(desk, "activity", session)
    desk.tick()
    assert not desk.tick().run_requests
