"""Reading a statement of 100,000 trade rows, as a ratio to the XML parser alone on the same bytes.

The rows have the attribute set of a full Activity query (85 attributes, half of them empty), every row its
own ids, time and price.
"""

import time
from collections.abc import Callable
from xml.etree import ElementTree

from adapters.ibkr.executions import parse_executions
from adapters.ibkr.flex import parse_flex

ROWS = 100_000
EMPTY = """
    acctAlias model cusip securityID securityIDType isin figi underlyingConid underlyingSecurityID issuer
    underlyingListingExchange issuerCountryCode relatedTradeID principalAdjustFactor origTradeDate
    origTradeID clearingFirmID relatedTransactionID rtn orderReference volatilityOrderLink openDateTime
    traderID whenRealized holdingPeriodDateTime whenReopened initialInvestment positionActionID
    serialNumber deliveryType commodityType
"""
FIXED = """
    accountId=U1234567 currency=USD fxRateToBase=0.9 assetCategory=OPT subCategory=C conid=893396239
    listingExchange=CBOE underlyingSymbol=CZR multiplier=100 strike=30 reportDate=20260717 expiry=20260821
    putCall=C tradeDate=20260717 settleDateTarget=20260720 transactionType=ExchTrade exchange=CBOE quantity=2
    tradeMoney=146 proceeds=-146 taxes=0 ibCommission=-1.3666 ibCommissionCurrency=USD netCash=-147.3666
    closePrice=0.8 openCloseIndicator=O notes=P cost=147.3666 fifoPnlRealized=0 mtmPnl=14 origTradePrice=0
    origOrderID=0 origTransactionID=0 buySell=BUY exchOrderId=N/A orderTime=20260717;120439
    levelOfDetail=EXECUTION changeInPrice=0 changeInQuantity=0 orderType=LMT isAPIOrder=Y accruedInt=0
    fineness=0.0 weight=0.0
"""
HEAD = (
    '<FlexQueryResponse queryName="b" type="AF"><FlexStatements count="1"><FlexStatement accountId="U1234567"'
    ' fromDate="20260101" toDate="20261231" whenGenerated="20270101;060000"><Trades>'
)
TAIL = "</Trades></FlexStatement></FlexStatements></FlexQueryResponse>"
EXECUTION = (
    '{"fields": ["11", "-1", "5", "893396239", "CZR", "OPT", "20260821", "30.0", "C", "100", "SMART",'
    ' "USD", "CZR   260821C00030000", "CZR", "%08x.6a59af42.01.01", "20260717  12:04:40", "U1234567",'
    ' "CBOE", "BOT", "2", "0.73", "1376327563", "100", "0", "2", "0.73", "", "", "", "", "2"]}\n'
)


def main() -> None:
    """Measure and print; processor time, so that neighbors on the machine count less."""
    statement, messages = _statement(), _messages()
    parse_executions(messages[:1_000], "warm-up")  # loads the calendar
    peer_s = _seconds(lambda: ElementTree.fromstring(statement))
    ours_s = _seconds(lambda: _checked(statement))
    live_s = _seconds(lambda: parse_executions(messages, "benchmark"))
    print(f"statement of {ROWS:,} trades, {len(statement) / 1e6:.0f} MB")
    print(f"  ElementTree alone  {peer_s:6.2f} s  {ROWS / peer_s:9,.0f} rows/s")
    print(f"  parse_flex         {ours_s:6.2f} s  {ROWS / ours_s:9,.0f} rows/s  {ours_s / peer_s:.2f} x")
    print(f"  parse_executions   {live_s:6.2f} s  {ROWS / live_s:9,.0f} messages/s")


def _checked(statement: bytes) -> None:
    (told,) = parse_flex(statement, "benchmark")
    if (len(told.batch.fills), len(told.batch.rejected)) != (ROWS, 0):
        raise SystemExit(f"expected {ROWS} fills, was {len(told.batch.fills)}")


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _statement() -> bytes:
    told = [pair.split("=") for pair in FIXED.split()] + [[name, ""] for name in EMPTY.split()]
    fixed = "".join(f' {name}="{value}"' for name, value in told)
    fixed += ' symbol="CZR   260821C00030000" description="CZR 21AUG26 30 C"'
    rows = "".join(f"<Trade{fixed}{_own(number)} />" for number in range(ROWS))
    return (HEAD + rows + TAIL).encode()


def _own(number: int) -> str:
    clock = f"{9 + number // 3600 % 7:02d}{number // 60 % 60:02d}{number % 60:02d}"
    return (
        f' tradeID="{10**9 + number}" dateTime="20260717;{clock}" tradePrice="{number % 997 / 100:.2f}"'
        f' ibOrderID="{10**8 + number // 3}" transactionID="{10**10 + number}"'
        f' ibExecID="{number:08x}.6a59af42.01.01" brokerageOrderID="{number:08x}" extExecID="{number}"'
    )


def _messages() -> bytes:
    return "".join(EXECUTION % number for number in range(ROWS)).encode()


if __name__ == "__main__":
    main()
