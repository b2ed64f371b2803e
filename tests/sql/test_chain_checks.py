"""Chains that are looked at contract by contract: what is judged of them, what is not, what people read."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import market_rows as rows
import pytest
from market_desk import ToldClock

from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.market_audit import ClickHouseMarketAudit
from adapters.clickhouse.market_store import ClickHouseMarketStore
from adapters.clickhouse.quality_history import ClickHouseQualityHistory
from assets.market_checks import _told
from trading.model.market import ChainContract, ChainSnapshot, MarketBlock, MarketEntry, MarketKind
from trading.ports.model_runner import SessionRange
from trading.ports.quality import QualityResult
from trading.services.check_market import BOUNDS, MARKET_RULES, MarketCheckTools, check_market

DAY = SessionRange(first=rows.SESSION, last=rows.SESSION)
PARITY, COMPLETE = "put_call_parity_holds", "chain_is_complete"
BOUND = timedelta(seconds=BOUNDS["apart_s"])
SECOND = timedelta(seconds=1)
NOON = rows.NOON
RIGHT, WRONG = (("3", "3.2"), ("2.9", "3.1")), (("8", "8.2"), ("2.9", "3.1"))
MOVED = rows.SPOT + 5  # where the share stands later: what was right at noon is wrong beside it


def pair(
    prices: tuple[tuple[str, str], tuple[str, str]],
    call_at: datetime,
    put_at: datetime,
    *,
    underlying: Decimal | None = None,
) -> tuple[ChainContract, ChainContract]:
    """A call and its put, each with its own time, and the share's price that the model took with it."""
    call, put = rows.call_and_put(*prices)
    told = [replace(call, at=call_at), replace(put, at=put_at)]
    if underlying is not None:
        told = [
            replace(
                each,
                greeks=replace(rows.greeks(), at=each.at, underlying_price=float(underlying), delta=None),
            )
            for each in told
        ]
    return told[0], told[1]


def examined(warehouse: Warehouse, name: str, *chains: ChainSnapshot) -> QualityResult:
    """What a check says of chains that were heard live."""
    block = MarketBlock(
        kind=MarketKind.CHAIN, symbol="AAPL", source="ibkr", heard_at=rows.CLOSE, rows=tuple(chains)
    )
    entry = MarketEntry(stream="outbox:market:AAPL", entry_id="1-1", epoch="e", sequence=1, block=block)
    ClickHouseMarketStore(warehouse).record([entry], [], is_repeat=False)
    tools = MarketCheckTools(
        audit=ClickHouseMarketAudit(warehouse),
        histories=[],
        history=ClickHouseQualityHistory(warehouse),
        clock=ToldClock(),
    )
    (result,) = check_market([rule for rule in MARKET_RULES if rule.name == name], DAY, tools)
    return result


@pytest.mark.parametrize(
    ("apart", "passed", "judged", "not_judged"), [(BOUND, False, 1, 0), (BOUND + SECOND, False, 0, 1)]
)
def test_a_pair_is_judged_where_its_quotes_are_of_one_moment(
    warehouse: Warehouse, apart: timedelta, passed: bool, judged: int, not_judged: int
) -> None:
    """Beyond the bound it is counted with its distance, and a check that judged nothing is no pass."""
    told = rows.chain(*pair(WRONG, NOON, NOON + apart), at=NOON + apart)
    result = examined(warehouse, PARITY, told)
    assert (result.passed, result.failing_rows) == (passed, judged)
    assert (result.judged, result.not_judged) == (judged, not_judged)
    if not_judged:
        words = "0 pairs judged, 1 not judged: quotes 31 s apart in the middle, 31 s at most"
        assert result.notes == (f"AAPL 2026-03-03 ibkr: {words}",)


def test_what_cannot_be_judged_beside_what_can_is_counted_and_passes(warehouse: Warehouse) -> None:
    """A pair whose put is old says nothing; the other one agrees."""
    old = pair(WRONG, NOON, NOON - timedelta(minutes=10))
    call, put = pair(RIGHT, NOON, NOON)
    other = [replace(each, option=replace(each.option, expiry=date(2026, 4, 9))) for each in (call, put)]
    result = examined(warehouse, PARITY, rows.chain(*old, *other, at=NOON))
    assert (result.passed, result.judged, result.not_judged) == (True, 1, 1)


@pytest.mark.parametrize("apart", [timedelta(0), timedelta(hours=1)])
def test_old_quotes_are_judged_by_the_underlying_of_their_own_time(
    warehouse: Warehouse, apart: timedelta
) -> None:
    """An hour later the share stands elsewhere, or its quote stood still: the model told its price then."""
    later = NOON + apart
    right = rows.chain(*pair(RIGHT, NOON, NOON, underlying=rows.SPOT), at=later, spot=MOVED)
    assert examined(warehouse, PARITY, right).judged == 1
    assert examined(warehouse, PARITY, right).passed


def test_two_quotes_in_many_snapshots_are_one_pair_judged_by_the_first(warehouse: Warehouse) -> None:
    """What stands on while the share moves was right when it was quoted."""
    told = pair(RIGHT, NOON, NOON)
    chains = [
        rows.chain(*told, at=NOON + timedelta(minutes=n), spot=rows.SPOT + n * Decimal(5)) for n in range(4)
    ]
    result = examined(warehouse, PARITY, *chains)
    assert (result.passed, result.judged, result.not_judged) == (True, 1, 0)
    assert result.notes == ("AAPL 2026-03-03 ibkr: 1 pairs judged, 0 not judged",)


def test_a_chain_is_judged_by_what_was_to_be_watched(warehouse: Warehouse) -> None:
    """What is listed beyond that is outside, counted and told; it is no fault."""
    contract = replace(rows.contract(), at=NOON)
    result = examined(warehouse, COMPLETE, rows.chain(contract, at=NOON + SECOND, listed=5, watched=1))
    assert (result.passed, result.judged, result.not_judged) == (True, 1, 4)
    assert result.notes == (
        "AAPL 2026-03-03 ibkr: 1 quoted of 1 in the chain, 1 watched, 5 listed; "
        "quotes 1 s old in the middle, 1 s at most; 4 outside of what is watched",
    )


def test_who_was_to_be_watched_and_was_not_looked_at_is_missing(warehouse: Warehouse) -> None:
    """The check warns, and says why and what to do in the words that a person sees first."""
    contract = replace(rows.contract(), at=NOON)
    result = examined(warehouse, COMPLETE, rows.chain(contract, at=NOON, listed=5, watched=3))
    assert (result.passed, result.failing_rows, result.not_judged) == (False, 2, 2)
    told = _told(result, DAY)
    assert told.description is not None
    assert "2 watched ones were not looked at yet" in told.description
    assert "MARKET_DATA_LINES" in told.description
    assert told.metadata["not_judged"].value == 2


def test_each_row_of_a_chain_has_the_age_of_its_quote(warehouse: Warehouse) -> None:
    """A model that was told later does not make a quote younger."""
    told = replace(rows.contract(), at=NOON, greeks=replace(rows.greeks(), at=NOON + BOUND))
    examined(warehouse, PARITY, rows.chain(told, at=NOON + BOUND + SECOND))
    (row,) = warehouse.rows("select quoted_at, greeks_at, quote_age_s from core.chains")
    assert (row["quoted_at"], row["greeks_at"], row["quote_age_s"]) == (NOON, NOON + BOUND, 31)
