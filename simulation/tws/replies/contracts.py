"""The contract master: details, option chains, matching symbols, market rules."""

from collections.abc import Sequence
from decimal import Decimal

from simulation.broker.questions import ChainParameters, ContractRecord
from simulation.sample_desk.contracts import Contract
from simulation.tws import versions
from simulation.tws.contracts import sec_type_of, spelled, symbol_of
from simulation.tws.fields import double, plain
from simulation.tws.replies import Message
from trading.model.times import NEW_YORK

ZONE = "US/Eastern"
ORDER_TYPES = (
    "ACTIVETIM,AD,ADJUST,ALERT,ALGO,ALLOC,AON,AVGCOST,BASKET,COND,CONDORDER,DAY,DEACT,DEACTDIS,DEACTEOD,"
    "DIS,FOK,GAT,GTC,GTD,GTT,HID,ICE,IOC,LIT,LMT,MIT,MKT,MTL,NGCOMB,NONALGO,OCA,OPENCLOSE,PEGMID,SCALE,"
    "SCALERST,SNAPMID,SNAPMKT,SNAPREL,STP,STPLMT,TRAIL,TRAILLIT,TRAILLMT,TRAILMIT,WHATIF"
)
NO_AGGREGATION = "1"
SUGGESTED_SIZE = {"STK": "100"}


def contract_details(request_id: int, record: ContractRecord, exchange: str, version: int) -> Message:
    """All the master knows of one contract."""
    contract = spelled(record.contract)
    has_sizes = version >= versions.SIZE_RULES
    exchanges = ",".join(record.exchanges)
    return [
        "10",
        *([] if has_sizes else ["8"]),
        str(request_id),
        contract.symbol,
        contract.sec_type,
        _last_trade(record),
        contract.strike,
        contract.right,
        exchange or "SMART",
        contract.currency,
        contract.local_symbol,
        contract.trading_class,
        contract.trading_class,
        contract.conid,
        plain(record.min_tick),
        *([] if has_sizes else ["100"]),
        contract.multiplier,
        ORDER_TYPES,
        exchanges,
        "1",
        str(_underlying_conid(record.contract)),
        record.long_name,
        record.primary_exchange,
        contract.expiry[:6],
        "",
        "",
        "",
        ZONE,
        record.trading_hours,
        record.liquid_hours,
        "",
        "",
        *_security_ids(record.contract),
        NO_AGGREGATION,
        *_underlying(record.contract),
        ",".join([str(record.market_rule)] * len(record.exchanges)),
        contract.expiry,
        "COMMON" if contract.sec_type == "STK" else "",
        *(_sizes(contract.sec_type) if has_sizes else []),
    ]


def contract_details_end(request_id: int) -> Message:
    """No more contracts match."""
    return ["52", "1", str(request_id)]


def _last_trade(record: ContractRecord) -> str:
    """Expiry, and the time and zone of the last trade where the master knows them."""
    if record.contract.expiry is None:
        return ""
    if record.last_trade_at is None:
        return f"{record.contract.expiry:%Y%m%d}"
    return f"{record.last_trade_at.astimezone(NEW_YORK):%Y%m%d %H:%M} {ZONE}"


def _underlying_conid(contract: Contract) -> int:
    is_derived = contract.asset == "OPT" and contract.underlying is not None
    return contract.underlying.conid if is_derived and contract.underlying else 0


def _underlying(contract: Contract) -> tuple[str, str]:
    if contract.asset != "OPT" or contract.underlying is None:
        return "", ""
    return contract.underlying.symbol, "IND" if contract.underlying.is_index else "STK"


def _security_ids(contract: Contract) -> Message:
    if sec_type_of(contract) == "STK" and contract.underlying is not None and contract.underlying.isin:
        return ["1", "ISIN", contract.underlying.isin]
    return ["0"]


def _sizes(sec_type: str) -> Message:
    return ["1", "1", SUGGESTED_SIZE.get(sec_type, "1")]


def chain(request_id: int, parameters: ChainParameters) -> Message:
    """Expiries and strikes of one trading class on one exchange."""
    return [
        "75",
        str(request_id),
        parameters.exchange,
        str(parameters.underlying_conid),
        parameters.trading_class,
        str(parameters.multiplier),
        str(len(parameters.expiries)),
        *(f"{expiry:%Y%m%d}" for expiry in parameters.expiries),
        str(len(parameters.strikes)),
        *(double(strike) for strike in parameters.strikes),
    ]


def chain_end(request_id: int) -> Message:
    """No more exchanges."""
    return ["76", str(request_id)]


def symbol_samples(request_id: int, records: Sequence[ContractRecord], version: int) -> Message:
    """Contracts whose symbol or name begins with the pattern, and what is derived from each."""
    message = ["79", str(request_id), str(len(records))]
    for record in records:
        contract = record.contract
        derived = ["OPT"] if sec_type_of(contract) in ("STK", "IND") else []
        message += [str(contract.conid), symbol_of(contract), sec_type_of(contract)]
        message += [record.primary_exchange, contract.currency, str(len(derived)), *derived]
        message += [record.long_name, ""] if version >= versions.ISSUER_ID else []
    return message


def market_rule(rule_id: int, steps: Sequence[tuple[Decimal, Decimal]]) -> Message:
    """From which price on which increment holds."""
    message = ["93", str(rule_id), str(len(steps))]
    for low_edge, increment in steps:
        message += [double(low_edge), double(increment)]
    return message
