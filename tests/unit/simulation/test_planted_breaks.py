"""Planted breaks are in the files where the journal says, and nowhere else."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from simulation.sample_desk import Journal, write_sample_desk

NAMES = {
    "one cent in a realized figure",
    "a fill that the statement lost",
    "one cent in a commission",
    "a position that is not ours",
    "a fill that only the statement has",
    "a wrong multiplier",
    "a rebate with the wrong sign",
    "a cash difference",
    "a fill booked twice",
}
SUFFIX = {"activity": ("activity.xml", "activity_again.xml"), "confirmation": ("confirmation.xml",)}


@dataclass(frozen=True)
class Pair:
    """The same month told honestly and with planted breaks."""

    honest: Path
    planted: Path
    journal: Journal


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Both tellings of one seed."""
    honest, planted = tmp_path_factory.mktemp("honest"), tmp_path_factory.mktemp("planted")
    write_sample_desk(honest, seed=9, planted=False, venues=False)
    journal = write_sample_desk(planted, seed=9, planted=True, venues=False)
    return Pair(honest=honest / "inbox", planted=planted / "inbox", journal=journal)


def _changed(pair: Pair) -> dict[str, tuple[set[str], set[str]]]:
    """By file: the lines that only the honest and only the planted telling have."""
    changed = {}
    for path in sorted(pair.honest.iterdir()):
        before = set(path.read_text().splitlines())
        after = set((pair.planted / path.name).read_text().splitlines())
        if before != after:
            changed[path.name] = (before - after, after - before)
    return changed


def test_every_sort_is_planted_once(pair: Pair) -> None:
    """Nine breaks of nine sorts, spread over all three accounts."""
    assert {row["name"] for row in pair.journal.planted} == NAMES
    assert len(pair.journal.planted) == len(NAMES)
    assert len({row["account"] for row in pair.journal.planted}) == 3


def test_only_the_planted_files_differ(pair: Pair) -> None:
    """The honest and the planted telling differ in the named files only, and in one line each."""
    changed = _changed(pair)
    expected = set()
    for row in pair.journal.planted:
        day = row["session"].replace("-", "")
        expected.add(f"{row['account']}_{day}_{SUFFIX[row['source']][0]}")
        if row["name"] == "a fill that only the statement has":
            expected.discard(f"{row['account']}_{day}_activity.xml")
            expected |= {
                f"{row['account']}_{day}_{name}"
                for name in ("confirmation.xml", "live.jsonl", "executions.jsonl")
            }
    assert set(changed) == expected
    for name, (before, after) in changed.items():
        if name.endswith(".xml"):
            assert len(before) <= 1, name
            assert len(after) <= 1, name


def test_no_two_breaks_touch_one_contract_of_an_account(pair: Pair) -> None:
    """Breaks do not meet, so that none hides another."""
    touched = [(row["account"], row["conid"]) for row in pair.journal.planted if row.get("conid")]
    assert len(set(touched)) == len(touched)


def test_each_break_names_kind_place_and_size(pair: Pair) -> None:
    """Every expected break has a session, what it is about, and a size other than zero."""
    breaks = pair.journal.expected_breaks
    assert len(breaks) == 11
    for row in breaks:
        assert row["session"] in pair.journal.sessions
        assert row["conid"] or row["currency"]
        assert row["difference"] not in ("", "0")


def test_doubled_fill_is_in_the_journal_as_the_desk_must_believe_it(pair: Pair) -> None:
    """The statement has the last word: its second copy of a fill is a fill, a position and cash of ours."""
    planted = next(row for row in pair.journal.planted if row["name"] == "a fill booked twice")
    assert sum(row["fill_id"] == planted["fill_id"] for row in pair.journal.fills) == 1
    by_kind = {row["kind"]: row["difference"] for row in planted["breaks"]}
    fill = next(row for row in pair.journal.fills if row["fill_id"] == planted["fill_id"])
    assert by_kind["position"] == fill["quantity"]
