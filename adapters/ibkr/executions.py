"""Executions and commission reports as TWS tells them, read into fills and fees.

Two text messages of the TWS protocol count here: 11, an execution (31 fields; newer servers add whether
its price is still to be revised), and 59, the commission of an execution (8 fields). All others are passed
over. They may repeat, come in any order and lack each other: a fill never waits for its fee.

An export file has one message per line, as JSON: ``{"fields": ["11", "-1", …]}``, all fields as text,
message id first. Other keys of the line are not read.

Traps of this source: the fee is positive when paid (statements say it negative); an unset number is the
largest double; a time without zone is in the gateway's zone; a combination is told as itself and leg by
leg, and only the legs are fills; an answer to a request carries the request's id, the live stream -1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from decimal import Decimal
from types import MappingProxyType

from adapters.ibkr.contracts import api_instrument, contract_size
from adapters.ibkr.flex_rows import checked_account, read_number
from adapters.ibkr.flex_times import read_tws_moment
from adapters.ibkr.message_lines import MessageLine, read_message_lines
from adapters.ibkr.refusal import ROW_ERRORS, canonical_row, checked_texts, dead_letter
from trading.calendar import session_on_or_after, trade_date_of
from trading.errors import InvalidFieldError
from trading.model.contract_fields import parse_conid, parse_symbol
from trading.model.fills import (
    CommissionFact,
    FillBatch,
    FillKind,
    FillRevision,
    RejectedRow,
    Side,
    Source,
    Venue,
)
from trading.model.ids import split_ibkr_execution_id
from trading.model.money import MONEY_PLACES, PRICE_PLACES
from trading.model.times import NEW_YORK

EXECUTION, COMMISSION, ACCOUNTS = "11", "59", "15"
EXECUTION_NAMES = (
    "msgId",
    "reqId",
    "orderId",
    "conId",
    "symbol",
    "secType",
    "expiry",
    "strike",
    "right",
    "multiplier",
    "exchange",
    "currency",
    "localSymbol",
    "tradingClass",
    "execId",
    "time",
    "account",
    "execExchange",
    "side",
    "shares",
    "price",
    "permId",
    "clientId",
    "liquidation",
    "cumQty",
    "avgPrice",
    "orderRef",
    "evRule",
    "evMultiplier",
    "modelCode",
    "liquidity",
    "pendingPriceRevision",  # from server version 178
    "submitter",  # from server version 198
)
EXECUTION_FIELDS_MIN = 31
COMMISSION_NAMES = (
    "msgId",
    "version",
    "execId",
    "commission",
    "currency",
    "realizedPNL",
    "yield",
    "yieldRedemptionDate",
)
FRAME = frozenset({"msgId", "reqId", "version"})  # of the telling, not of the execution: a repeat has others
COMBINATION = "BAG"
LIVE_REQUEST = "-1"
SIDES = {"BOT": Side.BUY, "SLD": Side.SELL}
LIQUIDITY = {"1": "added", "2": "removed", "3": "routed"}
TRUE, FALSE = frozenset({"1", "true"}), frozenset({"", "0", "false"})
UNSET = frozenset(
    {"", "2147483647", "9223372036854775807", "1.7976931348623157E308", "1.7976931348623157e+308"}
)


@dataclass(slots=True)
class _Told:
    """What the messages said so far."""

    fills: list[FillRevision] = field(default_factory=list)
    commissions: list[Mapping[str, str]] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)
    accounts: dict[str, str] = field(default_factory=dict)  # of each execution id
    combinations: set[str] = field(default_factory=set)  # execution ids
    managed: tuple[str, ...] = ()  # accounts of the login


def parse_executions(data: bytes, origin: str, zone: tzinfo = NEW_YORK) -> FillBatch:
    """Read an export file of messages; `zone` is the gateway's, for times that name none.

    Raises FlexRefusedError when the file is too long to be one; everything less is refused by line.
    """
    lines, rejected = read_message_lines(data, origin)
    return executions_from_messages(lines, origin, zone, rejected)


def executions_from_messages(
    lines: Sequence[MessageLine],
    origin: str,
    zone: tzinfo = NEW_YORK,
    rejected: Sequence[RejectedRow] = (),
    accounts: Mapping[str, str] = MappingProxyType({}),
) -> FillBatch:
    """Read messages, each a list of text fields with the message id first.

    `accounts` says whose the executions are that are not among these messages.
    """
    told = _Told(rejected=list(rejected), accounts=dict(accounts))
    for line in lines:
        _read_message(line, zone, told)
    fees = _fees(told)
    combinations = f"combinations passed over, since their legs are the fills: {len(told.combinations)}"
    return FillBatch(
        venue=Venue.IBKR,
        source=Source.LIVE,
        origin=origin,
        fills=tuple(told.fills),
        commissions=tuple(fees),
        rejected=tuple(told.rejected),
        warnings=(combinations,) if told.combinations else (),
    )


def _read_message(line: MessageLine, zone: tzinfo, told: _Told) -> None:
    kind = line.fields[0]
    try:
        if kind == EXECUTION:
            _take_execution(_named(line.fields, EXECUTION_NAMES, EXECUTION_FIELDS_MIN), zone, told)
        elif kind == COMMISSION:
            told.commissions.append(_named(line.fields, COMMISSION_NAMES, len(COMMISSION_NAMES)))
        elif kind == ACCOUNTS and len(line.fields) > 2:
            told.managed = tuple(name.strip() for name in line.fields[2].split(",") if name.strip())
    except ROW_ERRORS as error:
        told.rejected.append(dead_letter(Source.LIVE, error, line.text, is_trade_row=kind == EXECUTION))


def _named(fields: Sequence[str], names: Sequence[str], fewest: int) -> dict[str, str]:
    if not fewest <= len(fields) <= len(names):
        expected = f"{fewest} to {len(names)} fields" if fewest < len(names) else f"{fewest} fields"
        raise InvalidFieldError("fields", expected, f"{len(fields)} fields")
    named = dict(zip(names, fields, strict=False))
    checked_texts(named)
    return named


def _take_execution(message: Mapping[str, str], zone: tzinfo, told: _Told) -> None:
    if message["secType"] == COMBINATION:
        told.combinations.add(message["execId"])
        return
    fill = _fill(message, zone)
    told.fills.append(fill)
    told.accounts[fill.exec_id] = fill.account


def _fill(message: Mapping[str, str], zone: tzinfo) -> FillRevision:
    instrument = api_instrument(message)
    exec_id = message["execId"].strip()
    fill_id, revision = split_ibkr_execution_id(exec_id)
    moment = read_tws_moment("time", message["time"], zone)
    session = _session(moment)
    is_conversion = instrument.asset_class == "currency"
    return FillRevision(
        venue=Venue.IBKR,
        account=checked_account("account", message["account"].strip()),
        fill_id=fill_id,
        revision=revision,
        source=Source.LIVE if message["reqId"] == LIVE_REQUEST else Source.SAME_DAY,
        kind=FillKind.TRADE,
        instrument=instrument,
        conid=parse_conid(message["conId"]),
        side=_side(message["side"]),
        quantity=_positive("shares", message["shares"]),
        price=_price(message, instrument.asset_class),
        multiplier=contract_size(instrument, message["multiplier"].strip()),
        currency=parse_symbol("currency", message["currency"]),
        fill_ts=moment,
        trade_date=trade_date_of(Venue.IBKR, moment) if is_conversion else session,
        report_date=None,
        session=session,
        exec_id=exec_id,
        order_id=_known(message["orderId"]),
        order_ref=message["orderRef"],
        perm_id=_known(message["permId"]),
        exchange=message["execExchange"],
        liquidity=LIQUIDITY.get(message["liquidity"], ""),
        provisional=_flag("pendingPriceRevision", message.get("pendingPriceRevision", "")),
        raw=_kept(message),
    )


def _session(moment: datetime) -> date:
    try:
        return session_on_or_after(trade_date_of(Venue.IBKR, moment))
    except InvalidFieldError as cause:
        raise InvalidFieldError("time", cause.expected, moment.isoformat()) from cause


def _fees(told: _Told) -> list[CommissionFact]:
    fees = []
    for message in told.commissions:
        if message["execId"].strip() in told.combinations:
            continue
        try:
            fees.append(_fee(message, told))
        except ROW_ERRORS as error:
            told.rejected.append(dead_letter(Source.LIVE, error, message, is_trade_row=False))
    return fees


def _fee(message: Mapping[str, str], told: _Told) -> CommissionFact:
    exec_id = message["execId"].strip()
    fill_id, _ = split_ibkr_execution_id(exec_id)
    return CommissionFact(
        venue=Venue.IBKR,
        account=_account_of(exec_id, told),
        commission_key=exec_id,
        fill_id=fill_id,
        source=Source.LIVE,
        amount=_amount("commission", message["commission"]),
        currency=parse_symbol("currency", message["currency"]),
        raw=_kept(message),
    )


def _account_of(exec_id: str, told: _Told) -> str:
    """A commission report names no account: it is its execution's, or the login's where that has only one."""
    if exec_id in told.accounts:
        return told.accounts[exec_id]
    if len(told.managed) == 1:
        return told.managed[0]
    raise InvalidFieldError("execId", "the id of an execution in the same file", exec_id)


def _side(text: str) -> Side:
    if text not in SIDES:
        raise InvalidFieldError("side", "BOT or SLD", text)
    return SIDES[text]


def _amount(name: str, text: str) -> Decimal:
    if text.strip() in UNSET:
        raise InvalidFieldError(name, "an amount", text)
    return read_number(name, text, MONEY_PLACES)


def _positive(name: str, text: str) -> Decimal:
    number = read_number(name, text, PRICE_PLACES)
    if number <= 0:
        raise InvalidFieldError(name, "a quantity above zero", text)
    return number


def _price(message: Mapping[str, str], asset_class: str) -> Decimal:
    price = read_number("price", message["price"], PRICE_PLACES)
    if price < 0 and asset_class != "future":
        raise InvalidFieldError("price", "a price of zero or more", message["price"])
    return price


def _flag(name: str, text: str) -> bool:
    if text.lower() not in TRUE | FALSE:
        raise InvalidFieldError(name, "1, 0, true or false", text)
    return text.lower() in TRUE


def _known(text: str) -> str:
    """An order's number; 0, negative and unset ones are of orders placed by hand and name nothing."""
    number = text.strip()
    return number if number.isascii() and number.isdigit() and number not in UNSET | {"0"} else ""


def _kept(message: Mapping[str, str]) -> str:
    """The message as canonical JSON: equal for a repeat, whatever request it answers."""
    told = message.items()
    return canonical_row({name: value for name, value in told if name not in FRAME and value not in UNSET})
