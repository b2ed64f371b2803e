"""Made-up Flex files and TWS messages: a good one in few words, every field in reach to be spoiled."""

import json
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import quoteattr

ACCOUNT = "U1234567"

TRADE: Mapping[str, str] = {
    "accountId": ACCOUNT,
    "currency": "USD",
    "fxRateToBase": "0.9",
    "assetCategory": "OPT",
    "symbol": "CZR   260821C00030000",
    "description": "CZR 21AUG26 30 C",
    "conid": "893396239",
    "underlyingSymbol": "CZR",
    "multiplier": "100",
    "strike": "30",
    "expiry": "20260821",
    "putCall": "C",
    "tradeID": "1786699376",
    "dateTime": "20260717;120440",
    "tradeDate": "20260717",
    "transactionType": "ExchTrade",
    "quantity": "2",
    "tradePrice": "0.73",
    "ibCommission": "-1.3666",
    "ibCommissionCurrency": "USD",
    "buySell": "BUY",
    "ibOrderID": "726326436",
    "transactionID": "10651107881",
    "ibExecID": "0001938c.6a59af42.01.01",
    "levelOfDetail": "EXECUTION",
}

CONFIRM: Mapping[str, str] = {
    name: value
    for name, value in TRADE.items()
    if name
    not in ("tradePrice", "ibCommission", "ibCommissionCurrency", "ibOrderID", "transactionID", "ibExecID")
} | {
    "price": "0.73",
    "commission": "-1.3666",
    "commissionCurrency": "USD",
    "orderID": "726326436",
    "execID": "0001938c.6a59af42.01.01",
    "code": "O;P",
}

CONVERSION: Mapping[str, str] = {
    "accountId": ACCOUNT,
    "currency": "CHF",
    "assetCategory": "CASH",
    "symbol": "EUR.CHF",
    "conid": "12087817",
    "multiplier": "1",
    "tradeID": "8395392197",
    "dateTime": "20251017;145556",
    "tradeDate": "20251017",
    "transactionType": "ExchTrade",
    "quantity": "244",
    "tradePrice": "0.925",
    "proceeds": "-225.7",
    "netCash": "0",
    "ibCommission": "-1.58564",
    "ibCommissionCurrency": "CHF",
    "buySell": "BUY",
    "ibOrderID": "4512481145",
    "transactionID": "35682147863",
    "ibExecID": "FXSMLCUS.68f0e6aa.01.01",
    "levelOfDetail": "EXECUTION",
}

POSITION: Mapping[str, str] = {
    name: TRADE[name]
    for name in (
        "accountId", "currency", "fxRateToBase", "assetCategory", "symbol", "conid", "underlyingSymbol",
        "multiplier", "strike", "expiry", "putCall",
    )
} | {
    "reportDate": "20260925",
    "position": "2",
    "markPrice": "0.9",
    "costBasisMoney": "147.3666",
    "openDateTime": "20260717;120440",
    "originatingTransactionID": "10651107881",
    "levelOfDetail": "LOT",
}  # fmt: skip

EXECUTION: Mapping[str, str] = {
    "msgId": "11",
    "reqId": "-1",
    "orderId": "5",
    "conId": "893396239",
    "symbol": "CZR",
    "secType": "OPT",
    "expiry": "20260821",
    "strike": "30.0",
    "right": "C",
    "multiplier": "100",
    "exchange": "SMART",
    "currency": "USD",
    "localSymbol": "CZR   260821C00030000",
    "tradingClass": "CZR",
    "execId": "0001938c.6a59af42.01.01",
    "time": "20260717  12:04:40",
    "account": ACCOUNT,
    "execExchange": "CBOE",
    "side": "BOT",
    "shares": "2",
    "price": "0.73",
    "permId": "1376327563",
    "clientId": "100",
    "liquidation": "0",
    "cumQty": "2",
    "avgPrice": "0.73",
    "orderRef": "",
    "evRule": "",
    "evMultiplier": "",
    "modelCode": "",
    "liquidity": "2",
}

COMMISSION: Mapping[str, str] = {
    "msgId": "59",
    "version": "1",
    "execId": "0001938c.6a59af42.01.01",
    "commission": "1.3666",
    "currency": "USD",
    "realizedPNL": "1.7976931348623157E308",
    "yield": "1.7976931348623157E308",
    "yieldRedemptionDate": "",
}


def row(tag: str, attributes: Mapping[str, str]) -> str:
    """One element without content."""
    told = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    return f"<{tag}{told} />"


def trade(**changes: str) -> str:
    """An Activity trade row; a changed field may be empty."""
    return row("Trade", {**TRADE, **changes})


def confirm(**changes: str) -> str:
    """A Trade Confirmation row."""
    return row("TradeConfirm", {**CONFIRM, **changes})


def section(name: str, *rows: str) -> str:
    """A section around rows."""
    return f"<{name}>{''.join(rows)}</{name}>"


def statement(*sections: str, **changes: str) -> str:
    """One account's statement."""
    told = {
        "accountId": ACCOUNT,
        "fromDate": "20250926",
        "toDate": "20260925",
        "whenGenerated": "20260928;194113",
        **changes,
    }
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in told.items())
    return f"<FlexStatement{attributes}>{''.join(sections)}</FlexStatement>"


def document(*statements: str, kind: str = "AF") -> bytes:
    """A Flex file."""
    inner = "".join(statements)
    return (
        f'<FlexQueryResponse queryName="test" type="{kind}"><FlexStatements count="{len(statements)}">'
        f"{inner}</FlexStatements></FlexQueryResponse>"
    ).encode()


def activity(*trades: str) -> bytes:
    """A Flex Activity file with these trade rows."""
    return document(statement(section("Trades", *trades)))


def confirmations(*trades: str) -> bytes:
    """A Flex Trade Confirmation file with these rows."""
    return document(statement(section("TradeConfirms", *trades)), kind="TCF")


def execution(**changes: str) -> list[str]:
    """An execution message."""
    return list({**EXECUTION, **changes}.values())


def commission(**changes: str) -> list[str]:
    """A commission report."""
    return list({**COMMISSION, **changes}.values())


def export(*messages: Sequence[object]) -> bytes:
    """An export file of messages."""
    return b"".join(json.dumps({"fields": list(message)}).encode() + b"\n" for message in messages)
