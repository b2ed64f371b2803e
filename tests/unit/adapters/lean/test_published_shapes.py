"""Chain files, markets and factor files as the origin project has published them over the years."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from lean_folder import LeanFolder

from adapters.lean.history import LeanHistory
from trading.model.market import Bar, ChainSnapshot, MarketKind, RefusedRow

DAY = date(2023, 6, 23)
NAMED_HEADER = (
    "#symbol_id,symbol_value,open,high,low,close,volume,open_interest,"
    "implied_volatility,delta,gamma,vega,theta,rho"
)
BAR_LINE = "43200000,6450000,6460000,6440000,6455000,100"


def _chain(folder: Path, name: str, *lines: str) -> tuple[Sequence[RefusedRow], ChainSnapshot]:
    path = folder / name
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(lines) + "\n")
    rows = list(LeanHistory(folder).rows(MarketKind.CHAIN, DAY) or ())
    (chain,) = [row for row in rows if isinstance(row, ChainSnapshot)]
    return [row for row in rows if isinstance(row, RefusedRow)], chain


@pytest.mark.parametrize("header", [[NAMED_HEADER], []], ids=["with a header", "without"])
def test_a_chain_file_by_occ_symbols_is_the_same_chain(tmp_path: Path, header: Sequence[str]) -> None:
    """Contracts under the origin's id and their OCC symbol, with and without a header; a bad one is named."""
    refused, chain = _chain(
        tmp_path,
        "option/usa/universes/aapl/20230623.csv",
        *header,
        "AAPL R7,AAPL,185.5,187.5,185,186.68,530,,,,,,,",
        "AAPL A1|AAPL R7,AAPL  230630C00185000,3,4,2,3.5,10,44,0.21,0.61,0.05,0.10,-0.12,0.02",
        "AAPL A2|AAPL R7,AAPL  230630P00185000,0,0,0,0,0,,0,0,0,0,0,0",
        "MSFT A3|MSFT R1,MSFT  230630C00330000,1,1,1,1,1,1,0.2,0.5,0.1,0.1,-0.1,0.1",
        "AAPL A4|AAPL R7,AAPL  230630X00185000,1,1,1,1,1,1,0.2,0.5,0.1,0.1,-0.1,0.1",
    )
    call, put = chain.contracts
    assert (chain.symbol, chain.spot, chain.listed) == ("AAPL", Decimal("186.68"), 2)
    assert (call.option.occ, call.open_interest) == ("AAPL  230630C00185000", 44)
    assert call.greeks is not None
    assert (call.greeks.implied_volatility, call.greeks.delta, call.greeks.theta) == (0.21, 0.61, -0.12)
    assert (put.open_interest, put.greeks) == (None, None)
    assert [row.field for row in refused] == ["symbol_value", "symbol_value"]
    assert "MSFT  230630C00330000" in refused[0].payload


@pytest.mark.parametrize(
    "lines",
    [
        (NAMED_HEADER, "SPX 31,SPX,1,2,1,4348.23,0,,,,,,,", "I|SPX 31,SPXW  230630C04440000" + ",1" * 12),
        (",,,1,2,1,4348.23,0,,,,,,,", "20230630,4440,C" + ",1" * 12),
    ],
    ids=["by symbols", "by fields"],
)
def test_the_chain_of_an_index_class_is_on_its_index(tmp_path: Path, lines: Sequence[str]) -> None:
    """A folder is named by the class (spxw), the chain by what it is on (SPX)."""
    refused, chain = _chain(tmp_path, "indexoption/usa/universes/spxw/20230623.csv", *lines)
    (contract,) = chain.contracts
    assert (chain.symbol, chain.spot, refused) == ("SPX", Decimal("4348.23"), [])
    assert (contract.option.symbol, contract.option.trading_class) == ("SPX", "SPXW")


def test_the_price_of_another_index_is_no_spot(tmp_path: Path) -> None:
    """Options on a fifth of an index beside the whole of it: five times the spot would be silently wrong."""
    refused, chain = _chain(
        tmp_path,
        "indexoption/usa/universes/nqx/20230623.csv",
        NAMED_HEADER,
        "NDX 31,NDX,14800,14900,14700,14891.48,7630590000,,,,,,,",
        "NQX 31|NDX 31,NQX   230721P02900000" + ",1" * 12,
    )
    assert (chain.symbol, chain.spot) == ("NQX", None)
    assert [(row.field, "NDX" in row.payload) for row in refused] == [("symbol_value", True)]


def test_a_price_of_zero_is_none(tmp_path: Path) -> None:
    """The origin writes zero where it knows no price of the underlying."""
    contract = "20230630,185,C" + ",1" * 12
    refused, chain = _chain(
        tmp_path, "option/usa/universes/aapl/20230623.csv", ",,,0,0,0,0,0,,,,,,,", contract
    )
    assert (chain.spot, refused) == (None, [])


def test_other_markets_and_universes_of_shares_are_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Rupees by an Indian clock look like a share's dollars; constituents of a fund look like a chain."""
    folder = LeanFolder(tmp_path / "usa")
    member = {"20230623_aapl_minute_trade.csv": BAR_LINE}
    for tree in ("equity/india/minute/aapl", "index/eurex/minute/sx5e", "option/cme/minute/es17u21"):
        folder.archive(f"{tree}/20230623_trade.zip", member)
    for place in ("equity/usa/universes/etf/gdvd", "equity/india/factor_files"):
        path = folder.path / place / "20230623.csv"
        path.parent.mkdir(parents=True)
        path.write_text("20230101,1,0.5,1\n20501231,1,1,0\n")
    assert LeanHistory(folder.path).sessions(MarketKind.BAR) == []
    assert LeanHistory(folder.path).sessions(MarketKind.CHAIN) == []
    assert LeanHistory(folder.path).splits() == ()
    assert "left_alone archives=3 first=equity/india/minute/aapl/20230623_trade.zip" in caplog.text
    folder.archive("equity/usa/minute/aapl/20230623_trade.zip", member)
    index = {"20230623_vix9d_minute_trade.csv": "41400000,13,13.5,12.9,13.25,1"}
    folder.archive("index/cboe/minute/vix9d/20230623_trade.zip", index)
    rows = list(LeanHistory(folder.path).rows(MarketKind.BAR, DAY) or ())
    assert [row.instrument_id for row in rows if isinstance(row, Bar)] == ["STK:AAPL", "IND:VIX9D"]


@pytest.mark.parametrize(
    ("before", "after", "split"),
    [
        ("20", "1", (1, 20)),
        ("150", "1", (1, 150)),
        ("3.0003", "1", (1, 3)),
        ("7.11238", "10.661", (3, 2)),
        ("0.0357143", "0.25", (7, 1)),
        ("0.997307", "1", None),
    ],
)
def test_rounded_factors_are_the_split_that_was_meant(
    tmp_path: Path, before: str, after: str, split: tuple[int, int] | None
) -> None:
    """Reverse ones of any size, too; a dividend of some thousandths of a share is none."""
    path = tmp_path / "equity/usa/factor_files/xyz.csv"
    path.parent.mkdir(parents=True)
    path.write_text(f"19980102,1,{before},1\n20230622,0.9,{before},1\n20501231,1,{after},0\n")
    told = LeanHistory(tmp_path).splits()
    assert [(each.numerator, each.denominator) for each in told] == ([split] if split else [])
    assert all(each.effective == DAY for each in told)
