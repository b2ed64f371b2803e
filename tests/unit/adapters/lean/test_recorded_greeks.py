"""Recorded model values of the broker: every line is a contract's row in a round, or told as left out."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.lean.history import LeanHistory
from adapters.lean.recorded_greeks import RecordedGreeks
from trading.model.market import ChainSnapshot, GreeksSource, MarketKind, MarketRow, RefusedRow

DAY = date(2023, 8, 4)
HEADER = ",model_price,model_impliedVol,model_delta,model_gamma,model_vega,model_theta,model_undPrice"
CALL, PUT = "SPX230811C04300000.csv", "SPX230811P04300000.csv"


def _line(clock: str, spot: str = "4518.02", volatility: str = "0.19", day: str = "20230804") -> str:
    return f"{day} {clock},221.2,{volatility},0.97,0.0005,0.44,-1.2,{spot}"


def _write(folder: Path, name: str, *lines: str, header: str = HEADER, ends: str = "\n") -> None:
    (folder / "greeks").mkdir(exist_ok=True)
    (folder / "greeks" / name).write_bytes(ends.join((header, *lines, "")).encode())


def _rows(folder: Path) -> tuple[list[ChainSnapshot], list[RefusedRow]]:
    rows: list[MarketRow] = list(RecordedGreeks(folder).rows(MarketKind.CHAIN, DAY) or ())
    snapshots = [row for row in rows if isinstance(row, ChainSnapshot)]
    return snapshots, [row for row in rows if isinstance(row, RefusedRow)]


def test_a_round_is_a_snapshot_and_the_last_one_is_full(tmp_path: Path) -> None:
    """Counted from the end: what was told before all others had their turn is a round of its own."""
    _write(tmp_path, CALL, *(_line(f"13:3{minute}:00.5", f"45{minute}0.1") for minute in (1, 2, 3)))
    _write(tmp_path, PUT, *(_line(f"13:3{minute}:30.25") for minute in (2, 3)))
    snapshots, refused = _rows(tmp_path)
    assert not refused
    assert [len(one.contracts) for one in snapshots] == [1, 2, 2]
    first, *_, last = snapshots
    assert first.at == datetime(2023, 8, 4, 13, 31, 0, 500_000, tzinfo=UTC)
    assert last.at == datetime(2023, 8, 4, 13, 33, 30, 250_000, tzinfo=UTC)
    called, written = last.contracts
    assert (called.option.instrument_id, called.at.second) == ("OPT:SPX   230811C04300000", 0)
    assert (written.at, written.bid, written.ask) == (last.at, None, None)
    assert called.greeks is not None
    assert (called.greeks.source, called.greeks.implied_volatility) == (GreeksSource.IBKR, 0.19)
    assert (called.greeks.price, called.greeks.underlying_price) == (221.2, 4530.1)
    assert (called.greeks.vega, called.greeks.theta, called.greeks.rho) == (0.44, -1.2, None)


def test_the_spot_is_what_the_warehouse_can_hold(tmp_path: Path) -> None:
    """The noise behind a float's places is no price, and costs no row."""
    _write(tmp_path, CALL, _line("13:31:00.5", "4519.7300000000005"), _line("13:32:00.5", "4500.0"))
    assert [one.spot for one in _rows(tmp_path)[0]] == [Decimal("4519.73"), Decimal(4500)]


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (_line("noon"), "time"),
        (_line("13:31:00", volatility="nan"), "model_impliedVol"),
        (_line("13:31:00", volatility=""), "model_impliedVol"),
        (_line("13:31:00", spot="0"), "model_undPrice"),
        (_line("13:31:00").rpartition(",")[0], "model_undPrice"),
    ],
)
def test_a_line_that_cannot_be_read_is_refused_by_field(tmp_path: Path, line: str, field: str) -> None:
    """The others are taken, and the refusal says where it is."""
    _write(tmp_path, CALL, line, _line("13:32:00.5"), ends="\r\n")
    snapshots, (refused,) = _rows(tmp_path)
    assert len(snapshots) == 1
    assert refused.field == field
    told = json.loads(refused.payload)
    assert (told["file"], told["line"], told["text"]) == (f"greeks/{CALL}", "2", line)


def test_what_is_told_twice_or_after_hours_is_left_out_and_counted(tmp_path: Path) -> None:
    """An AM-settled class trades until a quarter past four; a line of another day is that day's."""
    lines = [
        _line("13:31:00.5"),
        _line("13:31:00.5"),
        _line("20:14:59.9"),
        _line("20:15:00"),
        _line("04:00:00"),
    ]
    _write(tmp_path, CALL, *lines, _line("13:31:00.5", day="20230807"))
    snapshots, refused = _rows(tmp_path)
    assert len(snapshots) == 2
    assert {row.reason.partition(":")[0]: row.rows for row in refused} == {
        "told twice": 1,
        "outside the session": 2,
    }
    assert list(RecordedGreeks(tmp_path).sessions(MarketKind.CHAIN)) == [DAY, date(2023, 8, 7)]


def test_a_file_without_a_column_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    """Columns are known by their names; a header that lacks one says nothing of its lines."""
    names = HEADER.split(",")
    _write(tmp_path, PUT, _line("13:31:00"), header=",".join(names[:-1]))
    turned = _line("13:31:00").split(",")
    _write(tmp_path, CALL, ",".join([turned[0], *turned[:0:-1]]), header=",".join(["", *names[:0:-1]]))
    ((snapshot,), (refused,)) = _rows(tmp_path)
    assert snapshot.spot == Decimal("4518.02")
    assert (refused.field, json.loads(refused.payload)["file"]) == ("header", f"greeks/{PUT}")


def test_other_kinds_and_sessions_are_none(tmp_path: Path) -> None:
    """The files tell of chains of their days alone, and are no files of the other source."""
    _write(tmp_path, CALL, _line("13:31:00"))
    history = RecordedGreeks(tmp_path)
    assert history.rows(MarketKind.QUOTE, DAY) is None
    assert history.rows(MarketKind.CHAIN, date(2023, 8, 3)) is None
    assert history.sessions(MarketKind.BAR) == ()
    assert history.files(MarketKind.CHAIN, DAY) == [f"greeks/{CALL}"]
    assert LeanHistory(tmp_path).sessions(MarketKind.CHAIN) == []
