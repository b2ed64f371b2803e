"""The sample desk's files, through our adapters and our engine, end in the journal, row for row.

The simulator and the engine share no code for this: zero differences mean that two books agree, and a
planted break that is missing or one that nobody planted means that one of the two is wrong.
"""

from dataclasses import replace
from pathlib import Path

import pytest
from engine_run import EngineRun

from simulation.sample_desk import Journal, compare, write_sample_desk
from trading.model.fills import Fill
from trading.pnl import ledger
from trading.pnl.book import HeldContract

Desk = tuple[Journal, EngineRun]


def _desk(factory: pytest.TempPathFactory, *, seed: int, planted: bool) -> Desk:
    directory = factory.mktemp("desk")
    journal = write_sample_desk(directory, seed=seed, planted=planted)
    return journal, EngineRun(directory, journal)


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A month in which every source tells the truth, as far as it goes."""
    return _desk(tmp_path_factory, seed=11, planted=False)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A month with one break of every sort."""
    return _desk(tmp_path_factory, seed=7, planted=True)


def test_no_row_of_any_file_is_refused(honest: Desk) -> None:
    """Every message and every element reads without a refusal and without an unknown name."""
    files = honest[1].files
    assert [row for file in files for batch in file.batches for row in batch.rejected] == []
    assert [name for file in files for item in file.statements for name in item.unknown_fields] == []


def test_as_many_trade_rows_arrive_as_the_journal_counts(honest: Desk) -> None:
    """The journal's arrivals are the trade rows that the adapters read."""
    journal, run = honest
    assert sum(batch.total_rows for file in run.files for batch in file.batches) == journal.arrivals


def test_honest_desk_ends_in_its_journal_without_a_break(honest: Desk) -> None:
    """Fills, profit, positions and cash agree, and the comparison with the broker finds nothing at all."""
    journal, run = honest
    assert _differences(journal, run) == []
    assert journal.planted == ()


def test_planted_desk_shows_exactly_the_planted_breaks(planted: Desk) -> None:
    """Every planted break is found with its kind, contract, session and size, and no other."""
    journal, run = planted
    assert len(journal.planted) == 9
    assert _differences(journal, run) == []


def test_wrong_multiplier_in_our_engine_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that takes contracts of 100 for 10 differs from the journal and from the broker."""
    honest_contract = ledger.held_contract

    def tenth(fill: Fill) -> HeldContract:
        contract = honest_contract(fill)
        return replace(contract, multiplier=contract.multiplier / 10) if contract.multiplier > 1 else contract

    monkeypatch.setattr(ledger, "held_contract", tenth)
    journal = write_sample_desk(tmp_path, seed=11, planted=False, sessions=3, accounts=1, venues=False)
    run = EngineRun(tmp_path, journal)
    tables = {item.partition(" ")[0] for item in _differences(journal, run)}
    assert {"pnl_daily", "breaks"} <= tables


def _differences(journal: Journal, run: EngineRun) -> list[str]:
    found = compare(
        journal,
        fills=run.fill_rows(),
        pnl_daily=run.daily_rows(),
        cash=run.cash_rows(),
        breaks=run.break_rows(),
    )
    return [str(item) for item in found]
