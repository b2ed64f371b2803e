"""A look at a contract that has ended comes too late, which is nothing that a person must see."""

from datetime import date, timedelta
from decimal import Decimal

from driven_market import DrivenMarket, after_opening
from ingest_desk import market_settings, symbol_settings

from adapters.ibkr.market.lines import KnownContract, Line, LineKind
from trading.calendar import last_trade
from trading.model.instruments import Option, Right

SESSION = date(2026, 11, 13)
OPTION = Option(symbol="SPY", expiry=SESSION, right=Right.CALL, strike=Decimal(640))
CONTRACT = KnownContract(
    conid=9, symbol="SPY", sec_type="OPT", exchange="SMART", instrument_id=OPTION.instrument_id, option=OPTION
)
NUMBER = 900


def refused(seconds_before_the_end: float) -> list[str]:
    """The alerts where the gateway knows no such contract at that moment."""
    desk = DrivenMarket(market_settings(SPY=symbol_settings()), begins_at=after_opening(SESSION, 5))
    desk.connect()
    ends = last_trade(OPTION).at
    desk.move((ends - timedelta(seconds=seconds_before_the_end) - desk.broker_at).total_seconds())
    desk.alerts.clear()
    line = Line(kind=LineKind.SNAPSHOT, symbol="SPY", contract=CONTRACT)
    desk.session.subscribing.lines.opened(NUMBER, line, desk.clock.at)
    desk.session.error(NUMBER, 200, "No security definition has been found", "")
    desk.turn()
    assert NUMBER not in desk.session.subscribing.lines.by_number
    return [code for code in desk.alerts if code == "code_200"]


def test_an_unknown_contract_is_an_alert_while_it_should_trade_and_none_after_its_end() -> None:
    """Each expiry's evening would be one."""
    assert refused(60) == ["code_200"]
    assert refused(-1) == []
