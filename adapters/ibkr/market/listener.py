"""The library's client tells this what it decodes of the market; each call becomes one of `HearsMarket`.

Method names and arguments are those of the broker's API (EWrapper). The library's tickers are not in this
process: they drop prices that did not change. What is not here was never asked for.
"""

# ruff: noqa: N802  # the API's names

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from adapters.ibkr.market.heard import ChainHeard, GreeksHeard, HearsMarket, HistoryBar
from adapters.ibkr.market.lines import KnownContract
from adapters.ibkr.session.listener import LinkListener
from adapters.ibkr.session.translate import instrument_id_of
from trading.errors import InvalidFieldError
from trading.model.instruments import Option

SMART = "SMART"
OPTION_TYPE = "OPT"
NAMED_BY_SYMBOL = ("STK", "IND")


class MarketListener(LinkListener):
    """The receiving end of one market-data connection."""

    def __init__(self, hears: HearsMarket, time_zone: str, wake: Callable[[], None]) -> None:
        super().__init__(hears, time_zone, wake)
        self._hears = hears
        # the hottest two need no method between
        self.priceSizeTick = hears.price
        self.tickSize = hears.size

    # contracts

    def contractDetails(self, number: int, details: Any) -> None:
        """What a contract is."""
        self._hears.contract(number, known_contract(details.contract))

    def contractDetailsEnd(self, number: int) -> None:
        """All contracts of a question were told."""
        self._hears.contracts_end(number)

    def securityDefinitionOptionParameter(
        self,
        number: int,
        exchange: str,
        _conid: int,
        trading_class: str,
        _multiplier: str,
        expiries: Sequence[str],
        strikes: Sequence[float],
    ) -> None:
        """Expiries and strikes at one exchange."""
        days = (datetime.strptime(day, "%Y%m%d").date() for day in expiries)  # noqa: DTZ007 - a day has no zone
        heard = ChainHeard(
            exchange=exchange,
            trading_class=trading_class,
            expiries=tuple(_in_order(days)),
            strikes=tuple(Decimal(str(strike)) for strike in strikes),
        )
        self._hears.chain(number, heard)

    def securityDefinitionOptionParameterEnd(self, number: int) -> None:
        """All exchanges were told."""
        self._hears.chain_end(number)

    # level 1

    def marketDataType(self, number: int, kind: int) -> None:
        """Live or delayed."""
        self._hears.data_kind(number, kind)

    def tickReqParams(self, *_fields: Any) -> None:
        """Increment and exchanges of a line: contracts tell them, too."""

    def tickSnapshotEnd(self, number: int) -> None:
        """A look is whole."""
        self._hears.snapshot_end(number)

    def tickGeneric(self, number: int, tick: int, value: float) -> None:
        """A generic tick; halts are."""
        self._hears.value(number, tick, value)

    def tickString(self, number: int, tick: int, text: str) -> None:
        """A text; prints are."""
        self._hears.text(number, tick, text)

    def tickOptionComputation(self, number: int, tick: int, _attribute: int, *values: float) -> None:
        """Model values of an option."""
        self._hears.greeks(number, tick, GreeksHeard(*values))

    # tick by tick, books, bars

    def tickByTickAllLast(
        self,
        number: int,
        _kind: int,
        epoch_s: int,
        price: float,
        size: float,
        _attributes: Any,
        exchange: str,
        conditions: str,
    ) -> None:
        """A trade."""
        self._hears.print_(number, epoch_s, price, size, exchange, conditions)

    def tickByTickBidAsk(
        self,
        number: int,
        epoch_s: int,
        bid: float,
        ask: float,
        bid_size: float,
        ask_size: float,
        _attributes: Any,
    ) -> None:
        """A change of the touch."""
        self._hears.touch(number, epoch_s, bid, ask, (bid_size, ask_size))

    def updateMktDepth(
        self, number: int, position: int, operation: int, side: int, price: float, size: float
    ) -> None:
        """A change of a book without names."""
        self._hears.level(number, position, "", operation, side, price, size)

    def updateMktDepthL2(
        self,
        number: int,
        position: int,
        maker: str,
        operation: int,
        side: int,
        price: float,
        size: float,
        _is_smart: bool = False,
    ) -> None:
        """A change of a book that says whose size it is."""
        self._hears.level(number, position, maker, operation, side, price, size)

    def realtimeBar(
        self,
        number: int,
        epoch_s: int,
        open_: float,
        high: float,
        low: float,
        close: float,
        volume: float,
        average: float,
        count: int,
    ) -> None:
        """Five seconds."""
        self._hears.bar(number, epoch_s, (open_, high, low, close), volume, average, count)

    # the past

    def historicalData(self, number: int, bar: Any) -> None:
        """A bar; its time is in seconds, as it was asked for."""
        prices = (bar.open, bar.high, bar.low, bar.close)
        heard = HistoryBar(int(bar.date), prices, bar.volume, bar.average, bar.barCount)
        self._hears.history_bar(number, heard)

    def historicalDataEnd(self, number: int, _start: str, _end: str) -> None:
        """All of them were told."""
        self._hears.history_end(number)


def known_contract(contract: Any) -> KnownContract:
    """The library's contract as a value of ours; what is no option that we carry is heard by its number."""
    is_option = contract.secType == OPTION_TYPE
    return KnownContract(
        conid=contract.conId,
        symbol=contract.symbol,
        sec_type=contract.secType,
        exchange=SMART if contract.secType != "IND" else contract.exchange,
        instrument_id=_market_id(contract),
        option=_option(contract) if is_option else None,
    )


def _market_id(contract: Any) -> str:
    """The name of its rows: that of recorded files and vendors, which know no number of the broker's.

    Views read one teller for each name and minute, so a share that was heard as `STK:756733` and loaded as
    `STK:SPY` would count twice. The number has a column of its own.
    """
    if contract.secType in NAMED_BY_SYMBOL:
        return f"{contract.secType}:{contract.symbol}"
    return instrument_id_of(contract)


def _option(contract: Any) -> Option | None:
    fields = {
        "symbol": contract.symbol,
        "lastTradeDateOrContractMonth": contract.lastTradeDateOrContractMonth,
        "right": contract.right,
        "strike": str(contract.strike),
        "multiplier": contract.multiplier,
        "currency": contract.currency,
        "tradingClass": contract.tradingClass,
        "conId": str(contract.conId),
    }
    try:
        return Option.from_ibkr(fields | {"localSymbol": contract.localSymbol})
    except InvalidFieldError:
        return None


def _in_order(days: Any) -> list[date]:
    return sorted(set(days))
