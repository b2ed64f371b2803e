"""A sample desk's broker files, read in any order by the broker's adapter, are the fills of its journal.

The desk's writer shares nothing with the reader but the contracts; live streams repeat and lose, answers
cover a day, confirmations come before statements, corrections and busts come late.
"""

import random
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.ibkr.read_file import read
from adapters.memory.fill_store import MemoryFillStore
from simulation.sample_desk.writing import write_sample_desk
from trading.model.fills import Fill, FillRevision, Venue

SEED = 11
RECEIVED = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], list[Mapping[str, Any]]]:
    directory = tmp_path_factory.mktemp("desk")
    journal = write_sample_desk(directory, SEED, planted=False, sessions=5, accounts=2, venues=False)
    return sorted((directory / "inbox").iterdir()), list(journal.fills)


def stored(files: list[Path], order: int) -> MemoryFillStore:
    store = MemoryFillStore()
    shuffled = list(files)
    random.Random(order).shuffle(shuffled)
    for path in shuffled:
        for batch in read(path).batches:
            store.record(batch, RECEIVED)
    assert store.rejected == {}
    return store


def told(fill: Fill) -> dict[str, Any]:
    revision = fill.revision
    return {
        "side": str(revision.side),
        "quantity": Decimal(0) if fill.busted else revision.quantity,
        "price": revision.price,
        "multiplier": revision.multiplier,
        "currency": revision.currency,
        "instrument_id": revision.instrument.instrument_id,
        "conid": revision.conid,
        "kind": str(revision.kind),
        "fill_ts": revision.fill_ts,
        "session": revision.session,
        "busted": fill.busted,
        "fees": {currency: amount for currency, amount in fill.fees.items() if amount},
    }


def meant(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("side", "currency", "instrument_id", "conid", "kind", "busted")},
        **{name: Decimal(row[name]) for name in ("quantity", "price", "multiplier")},
        "fill_ts": datetime.fromisoformat(row["fill_ts"]),
        "session": date.fromisoformat(row["session"]),
        "fees": {currency: Decimal(fee) for currency, fee in row["fees"].items() if Decimal(fee)},
    }


@pytest.mark.parametrize("order", range(3))
def test_what_the_files_tell_in_any_order_is_the_journal(
    desk: tuple[list[Path], list[Mapping[str, Any]]], order: int
) -> None:
    """Every fill once, at its time, with its corrections, busts and fees, and none besides."""
    files, journal = desk
    store = stored(files, order)
    sessions = {date.fromisoformat(row["session"]) for row in journal}
    accounts = {row["account"] for row in journal}
    ours = {
        (account, fill.revision.fill_id): told(fill)
        for account in accounts
        for fill in store.fills(Venue.IBKR, account, sorted(sessions))
    }
    theirs = {(row["account"], row["fill_id"]): meant(row) for row in journal}
    assert ours == theirs


def test_all_sources_agree_on_what_a_fill_is(desk: tuple[list[Path], list[Mapping[str, Any]]]) -> None:
    """Live, same-day, confirmation and statement say the same of each revision of each fill."""
    files, _ = desk
    versions: dict[tuple[str, str, int], set[tuple[object, ...]]] = defaultdict(set)
    sources: dict[tuple[str, str, int], set[str]] = defaultdict(set)
    for path in files:
        for batch in read(path).batches:
            for fill in batch.fills:
                key = (fill.account, fill.fill_id, fill.revision)
                versions[key].add(_core(fill))
                sources[key].add(str(fill.source))
    assert {key: said for key, said in versions.items() if len(said) > 1} == {}
    assert max(len(names) for names in sources.values()) == 4


def _core(fill: FillRevision) -> tuple[object, ...]:
    return (
        fill.instrument, fill.conid, fill.side, fill.quantity, fill.price, fill.multiplier, fill.currency,
        fill.fill_ts, fill.trade_date, fill.session, fill.exec_id,
    )  # fmt: skip
