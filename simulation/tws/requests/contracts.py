"""Requests to the contract master: details, chains, symbols, market rules."""

from dataclasses import dataclass, replace

from simulation.broker.questions import ContractQuery
from simulation.tws import versions
from simulation.tws.contracts import contract_query
from simulation.tws.fields import Cursor


@dataclass(frozen=True, slots=True)
class ContractDetails:
    """All contracts that match; `security_id` is (kind, value) where one is named by such an id."""

    request_id: int
    query: ContractQuery
    security_id: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Chains:
    """Expiries and strikes of one underlying."""

    request_id: int
    symbol: str
    exchange: str
    sec_type: str
    conid: int


@dataclass(frozen=True, slots=True)
class MatchingSymbols:
    """Contracts whose symbol or name begins so."""

    request_id: int
    pattern: str


@dataclass(frozen=True, slots=True)
class MarketRule:
    """The increments of one rule."""

    rule_id: int


def contract_details(cursor: Cursor, version: int) -> ContractDetails:
    cursor.integer("version")
    request_id = cursor.integer("reqId")
    query = replace(contract_query(cursor), include_expired=cursor.flag("includeExpired"))
    kind, value = cursor.texts("secIdType, secId", 2)
    if version >= versions.ISSUER_ID:
        cursor.text("issuerId")
    return ContractDetails(request_id, query, (kind.upper(), value.upper()))


def chains(cursor: Cursor, version: int) -> Chains:
    return Chains(
        cursor.integer("reqId"),
        cursor.text("underlyingSymbol"),
        cursor.text("futFopExchange"),
        cursor.text("underlyingSecType"),
        cursor.integer("underlyingConId"),
    )


def matching_symbols(cursor: Cursor, version: int) -> MatchingSymbols:
    return MatchingSymbols(cursor.integer("reqId"), cursor.text("pattern"))


def market_rule(cursor: Cursor, version: int) -> MarketRule:
    return MarketRule(cursor.integer("marketRuleId"))
