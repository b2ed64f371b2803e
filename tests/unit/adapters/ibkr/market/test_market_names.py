"""Rows that were heard and rows that were loaded of one thing have one name, or views count it twice."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ib_insync import Contract
from lean_folder import LeanFolder

from adapters.ibkr.market.listener import known_contract
from adapters.lean.history import LeanHistory
from trading.model.market import Bar, MarketKind

DAY = date(2014, 6, 6)
LINE = "43200000,1000000,1000000,1000000,1000000,9"
INDEX_LINE = "43200000,100,100,100,100,9"
OPTION = {
    "conId": 9,
    "secType": "OPT",
    "symbol": "BRK B",
    "lastTradeDateOrContractMonth": "20140621",
    "strike": 130.0,
    "right": "C",
    "multiplier": "100",
    "currency": "USD",
    "tradingClass": "BRKB",
    "localSymbol": "BRKB  140621C00130000",
}
SHARE = {"conId": 72063691, "secType": "STK", "symbol": "BRK B", "localSymbol": "BRK B", "currency": "USD"}
INDEX = {"conId": 416904, "secType": "IND", "symbol": "SPX", "exchange": "CBOE", "currency": "USD"}


@pytest.mark.parametrize(
    ("told", "archive", "member", "line"),
    [
        (SHARE, "equity/usa/minute/brk.b/20140606_trade.zip", "20140606_brk.b_minute_trade.csv", LINE),
        (INDEX, "index/usa/minute/spx/20140606_trade.zip", "20140606_spx_minute_trade.csv", INDEX_LINE),
        (
            OPTION,
            "option/usa/minute/brk.b/20140606_trade_american.zip",
            "20140606_brk.b_minute_trade_american_call_1300000_20140621.csv",
            LINE,
        ),
    ],
)
def test_what_the_broker_tells_and_what_a_file_tells_have_one_name(
    tmp_path: Path, told: dict[str, Any], archive: str, member: str, line: str
) -> None:
    """The broker's number is no part of it: files have none; it stands beside, in a column of its own."""
    heard = known_contract(Contract(**told))
    LeanFolder(tmp_path).archive(archive, {member: line})
    (loaded,) = (row for row in LeanHistory(tmp_path).rows(MarketKind.BAR, DAY) or () if isinstance(row, Bar))
    assert (heard.symbol, heard.instrument_id) == (loaded.symbol, loaded.instrument_id)
    assert heard.conid == told["conId"]
    if heard.option is not None:
        assert (heard.option.symbol, heard.option.trading_class) == ("BRK B", "BRKB")
