"""The recorded model values of 4 August 2023 in the warehouse: every line, and what the checks say."""

from datetime import date
from pathlib import Path

from market_desk import ToldClock

from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.market_audit import ClickHouseMarketAudit
from adapters.clickhouse.market_store import ClickHouseMarketStore
from adapters.clickhouse.quality_history import ClickHouseQualityHistory
from adapters.lean.recorded_greeks import RecordedGreeks
from trading.calendar import session_close
from trading.model.market import MarketKind
from trading.ports.model_runner import SessionRange
from trading.services.check_market import CHAINS, MARKET_RULES, MarketCheckTools, check_market
from trading.services.load_market import MarketTools, load_market

DAY = SessionRange(first=date(2023, 8, 4), last=date(2023, 8, 4))


def test_every_recorded_line_is_a_row_of_the_chain(warehouse: Warehouse, shared_data: Path) -> None:
    """219 lines of 12 contracts, value by value; again adds none; only the missing quotes are dirty."""
    folder = shared_data / "ibkr-model-greeks-20230804"
    history, clock = RecordedGreeks(folder), ToldClock()
    tools = MarketTools(histories=[history], store=ClickHouseMarketStore(warehouse), clock=clock)
    for new in (219, 0):
        (told,) = load_market([MarketKind.CHAIN], DAY, tools)
        assert (told.total, told.new, told.left_out) == (219, new, {})
    lines = {
        (path.stem, line.split(",")[0]): [float(value) for value in line.split(",")[1:]]
        for path in (folder / "greeks").iterdir()
        for line in path.read_text().splitlines()[1:]
    }
    rows = warehouse.rows(
        "select replaceAll(substring(instrument_id, 5), ' ', '') as name, "
        "formatDateTime(greeks_at, '%Y%m%d %H:%i:%S.%f') as moment, model_price, implied_volatility, delta, "
        "gamma, vega, theta, underlying_price from core.chains where source = 'ibkr_recorded'"
    )
    assert {(row.pop("name"), row.pop("moment")): list(row.values()) for row in rows} == lines
    assert len(rows) == len(lines) == 219
    audit = ClickHouseMarketAudit(warehouse)
    checks = MarketCheckTools(
        audit=audit, histories=[history], history=ClickHouseQualityHistory(warehouse), clock=clock
    )
    rules = [rule for rule in MARKET_RULES if rule.table == CHAINS]
    found = {result.rule.name: result.failing_rows for result in check_market(rules, DAY, checks)}
    assert {name: count for name, count in found.items() if count} == {"chain_is_complete": 6}
    assert len(audit.smiles(date(2023, 8, 4), session_close(date(2023, 8, 4)), 3, 4)) == 3
