"""A scripted session of the broker's own Python client, run by an interpreter that has it installed.

`python scripted_client.py PORT` connects to a gateway on loopback and prints every callback as one JSON line:
`[name, {argument: value}]`. It ends with code 0 when each step was answered in time, else it names the step
on stderr. It imports nothing of the project: it is another client.
"""

import inspect
import json
import os
import sys
import threading
import time

from ibapi.client import EClient
from ibapi.contract import Contract
from ibapi.execution import ExecutionFilter
from ibapi.order import Order
from ibapi.wrapper import EWrapper

ANSWER_S = 30.0
CLIENT_ID = 7


def _plain(value: object, depth: int = 0) -> object:
    """A callback's argument as JSON can hold it."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return (
            sorted(str(item) for item in value)
            if isinstance(value, (set, frozenset))
            else [_plain(item, depth + 1) for item in value]
        )
    if hasattr(value, "__dict__") and depth < 3:
        return {name: _plain(item, depth + 1) for name, item in vars(value).items()}
    return str(value)


class Recorder(EWrapper):
    """Every callback of the client is printed and remembered."""

    def __init__(self) -> None:
        EWrapper.__init__(self)
        self.said: list[tuple[str, dict[str, object]]] = []
        self.changed = threading.Condition()

    def record(self, name: str, told: dict[str, object]) -> None:
        with self.changed:
            self.said.append((name, told))
            print(json.dumps([name, told]), flush=True)
            self.changed.notify_all()


def _recording(name: str, original: object) -> object:
    names = list(inspect.signature(original).parameters)[1:]

    def call(self: Recorder, *values: object, **named: object) -> None:
        told = {key: _plain(value) for key, value in zip(names, values, strict=False)}
        told |= {key: _plain(value) for key, value in named.items()}
        self.record(name, told)

    return call


for _name, _original in inspect.getmembers(EWrapper, inspect.isfunction):
    if not _name.startswith("_") and _name not in ("logAnswer",):
        setattr(Recorder, _name, _recording(_name, _original))


class Session(Recorder, EClient):
    """The script and its waiting."""

    def __init__(self) -> None:
        Recorder.__init__(self)
        EClient.__init__(self, self)

    def wait(
        self, step: str, name: str, count: int = 1, since: int = 0, **wanted: object
    ) -> dict[str, object]:
        """Wait for a callback with these arguments; returns the last one of `count`."""
        deadline = time.monotonic() + ANSWER_S
        with self.changed:
            while True:
                found = [
                    told
                    for said, told in self.said
                    if said == name and all(told.get(key) == value for key, value in wanted.items())
                ]
                if len(found) >= count:
                    return found[-1]
                left = deadline - time.monotonic()
                if left <= 0:
                    give_up(f"{step}: no {name} with {wanted} after {ANSWER_S:.0f} s")
                self.changed.wait(left)


def give_up(reason: str) -> None:
    """End now: a thread of the client would keep the process alive."""
    print(reason, file=sys.stderr, flush=True)
    sys.stdout.flush()
    os._exit(1)


def share(symbol: str) -> Contract:
    contract = Contract()
    contract.symbol, contract.secType, contract.exchange, contract.currency = symbol, "STK", "SMART", "USD"
    return contract


def order(action: str, kind: str, quantity: int, **fields: object) -> Order:
    made = Order()
    made.action, made.orderType, made.totalQuantity = action, kind, quantity
    made.eTradeOnly = made.firmQuoteOnly = False
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def an_option(app: Session) -> Contract:
    """A put at the money of the nearest expiry but one, with its id from the contract details."""
    app.reqContractDetails(101, share("SPY"))
    details = app.wait("contract details", "contractDetails", reqId=101)
    app.wait("contract details", "contractDetailsEnd", reqId=101)
    conid = details["contractDetails"]["contract"]["conId"]
    app.reqSecDefOptParams(102, "SPY", "", "STK", conid)
    app.wait("chain", "securityDefinitionOptionParameterEnd", reqId=102)
    chain = next(told for name, told in app.said if name == "securityDefinitionOptionParameter")
    app.reqMktData(103, share("SPY"), "", True, False, [])
    app.wait("share snapshot", "tickSnapshotEnd", reqId=103)
    prices = [
        float(told["price"])
        for name, told in app.said
        if name == "tickPrice" and told["reqId"] == 103 and float(told["price"]) > 0
    ]
    strikes = sorted(float(strike) for strike in chain["strikes"])
    wanted = Contract()
    wanted.symbol, wanted.secType, wanted.exchange, wanted.currency = "SPY", "OPT", "SMART", "USD"
    wanted.lastTradeDateOrContractMonth = sorted(chain["expirations"])[1]
    wanted.strike = min(strikes, key=lambda strike: abs(strike - prices[0]))
    wanted.right, wanted.multiplier = "P", str(chain["multiplier"])
    app.reqContractDetails(104, wanted)
    option = app.wait("option details", "contractDetails", reqId=104)["contractDetails"]["contract"]
    wanted.conId, wanted.localSymbol = option["conId"], option["localSymbol"]
    wanted.tradingClass = option["tradingClass"]
    return wanted


def market(app: Session, option: Contract) -> None:
    app.reqMktData(201, option, "100,101,106", False, False, [])
    app.wait("option quotes", "tickPrice", reqId=201)
    app.wait("greeks", "tickOptionComputation", reqId=201)
    app.cancelMktData(201)
    app.reqMktDepth(202, share("SPY"), 5, True, [])
    app.wait("depth", "updateMktDepthL2", reqId=202)
    app.cancelMktDepth(202, True)
    app.reqTickByTickData(203, option, "AllLast", 0, False)
    app.wait("tick by tick of an option is refused", "error", reqId=203)
    app.reqTickByTickData(205, share("SPY"), "AllLast", 0, False)
    app.wait("tick by tick", "tickByTickAllLast", reqId=205)
    app.cancelTickByTickData(205)
    app.reqRealTimeBars(206, share("SPY"), 5, "TRADES", True, [])
    app.wait("5-second bars", "realtimeBar", reqId=206)
    app.cancelRealTimeBars(206)
    app.reqHistoricalData(204, share("SPY"), "", "120 S", "5 secs", "TRADES", 1, 1, False, [])
    app.wait("history", "historicalDataEnd", reqId=204)
    nowhere = share("NOSUCHSYMBOL")
    app.reqContractDetails(207, nowhere)
    app.wait("an unknown contract is refused", "error", reqId=207, errorCode=200)


def trade(app: Session, option: Contract, first_id: int) -> None:
    app.placeOrder(first_id, option, order("SELL", "LMT", 1, lmtPrice=0.5, whatIf=True))
    app.wait("what-if", "openOrder", orderId=first_id)
    parent, target, stop = first_id + 1, first_id + 2, first_id + 3
    app.placeOrder(parent, option, order("BUY", "MKT", 3, transmit=False, orderRef="official"))
    app.placeOrder(target, option, order("SELL", "LMT", 3, lmtPrice=400, parentId=parent, transmit=False))
    app.placeOrder(stop, option, order("SELL", "STP", 3, auxPrice=0.05, parentId=parent))
    app.wait("the parent fills", "orderStatus", orderId=parent, status="Filled")
    app.wait("its executions", "execDetails", reqId=-1)
    app.wait("its commission", "commissionReport") if hasattr(EWrapper, "commissionReport") else app.wait(
        "its commission", "commissionAndFeesReport"
    )
    app.wait("the target works", "orderStatus", orderId=target, status="Submitted")
    for child in (target, stop):
        _cancel(app, child)
        app.wait("a canceled child", "orderStatus", orderId=child, status="Cancelled")
    app.placeOrder(first_id + 4, option, order("SELL", "MKT", 3))
    app.wait("the closing order fills", "orderStatus", orderId=first_id + 4, status="Filled")


def _cancel(app: Session, order_id: int) -> None:
    try:
        from ibapi.order_cancel import OrderCancel
    except ImportError:
        app.cancelOrder(order_id, "")
        return
    app.cancelOrder(order_id, OrderCancel())


def ask(app: Session, account: str) -> None:
    app.reqExecutions(301, ExecutionFilter())
    app.wait("executions", "execDetailsEnd", reqId=301)
    app.reqAllOpenOrders()
    app.wait("open orders", "openOrderEnd")
    app.reqCompletedOrders(False)
    app.wait("completed orders", "completedOrdersEnd")
    app.reqPositions()
    app.wait("positions", "positionEnd")
    app.reqAccountUpdates(True, account)
    app.wait("account values", "accountDownloadEnd")
    app.reqAccountSummary(302, "All", "NetLiquidation,BuyingPower")
    app.wait("account summary", "accountSummaryEnd", reqId=302)
    app.reqPnL(303, account, "")
    app.wait("P&L", "pnl", reqId=303)
    app.reqMarketRule(26)
    app.reqMatchingSymbols(304, "SP")
    app.wait("matching symbols", "symbolSamples", reqId=304)
    app.reqCurrentTime()
    app.wait("time", "currentTime")


def main() -> None:
    app = Session()
    app.connect("127.0.0.1", int(sys.argv[1]), CLIENT_ID)
    threading.Thread(target=app.run, daemon=True).start()
    first_id = app.wait("login", "nextValidId")["orderId"]
    account = str(app.wait("login", "managedAccounts")["accountsList"]).split(",")[0]
    option = an_option(app)
    market(app, option)
    trade(app, option, int(first_id))
    ask(app, account)
    app.disconnect()


if __name__ == "__main__":
    main()
