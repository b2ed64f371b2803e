"""Requests to the contract master."""

from simulation.broker.questions import ContractQuery, ContractRecord
from simulation.market.rules import RULES, steps_of
from simulation.tws.client import Client
from simulation.tws.contracts import sec_type_of, symbol_of, trades_at
from simulation.tws.notices import text_of
from simulation.tws.replies import contracts as say
from simulation.tws.replies.session import NO_REQUEST
from simulation.tws.requests.contracts import Chains, ContractDetails, MarketRule, MatchingSymbols
from simulation.tws.state import GatewayState

SAMPLES_MAX = 16
DERIVED = ("STK", "IND", "CASH")
SEC_TYPES = frozenset(
    {"STK", "OPT", "IND", "CASH", "FUT", "CONTFUT", "FUT+CONTFUT", "FOP", "WAR", "IOPT", "BOND", "BILL"}
    | {"FUND", "CMDTY", "CFD", "NEWS", "CRYPTO", "FIXED"}
)


def details(state: GatewayState, client: Client, request: ContractDetails) -> None:
    reason = _is_wrong(request)
    if reason:
        client.error(request.request_id, 321, text_of(321, request="cR", reason=reason))
        return
    found = [
        record
        for record in state.broker.contracts(request.query)
        if _is_named(record, request.security_id) and trades_at(record, request.query.exchange)
    ]
    if not found:
        client.error(request.request_id, 200)
        return
    for record in found:
        client.send(say.contract_details(request.request_id, record, request.query.exchange, client.version))
    client.send(say.contract_details_end(request.request_id))


def _is_wrong(request: ContractDetails) -> str:
    """Why no contract can be meant, in a real gateway's words; empty when one can."""
    query = request.query
    if query.conid:
        return ""
    if query.sec_type == "BAG":
        return "BAG isn't supported for contract data request"
    if not (query.symbol or query.local_symbol or request.security_id[1]):
        return "Please enter a symbol, a local symbol or a security id"
    return "" if query.sec_type in SEC_TYPES else "Please enter a valid security type"


def _is_named(record: ContractRecord, security_id: tuple[str, str]) -> bool:
    kind, value = security_id
    share = record.contract.underlying if record.contract.asset == "STK" else None
    return not value or (kind == "ISIN" and share is not None and share.isin == value)


def chains(state: GatewayState, client: Client, request: Chains) -> None:
    known = state.broker.contracts(ContractQuery(conid=request.conid))
    if not known or request.exchange:
        reason = "Invalid contract id" if not known else "FOP exchange given for a share"
        client.error(request.request_id, 321, f"Error validating request.-'ch' : cause - {reason}")
        return
    if symbol_of(known[0].contract) != request.symbol or sec_type_of(known[0].contract) != request.sec_type:
        client.error(request.request_id, 200)
        return
    for parameters in state.broker.chains(request.symbol):
        client.send(say.chain(request.request_id, parameters))
    client.send(say.chain_end(request.request_id))


def matching_symbols(state: GatewayState, client: Client, request: MatchingSymbols) -> None:
    pattern = request.pattern.upper()
    records = [
        record
        for kind in DERIVED
        for record in state.broker.contracts(ContractQuery(sec_type=kind))
        if record.contract.symbol.startswith(pattern) or pattern in record.long_name.upper()
    ]
    client.send(say.symbol_samples(request.request_id, records[:SAMPLES_MAX], client.version))


def market_rule(state: GatewayState, client: Client, request: MarketRule) -> None:
    if request.rule_id not in RULES:
        client.error(NO_REQUEST, 321, f"Error validating request.-'me' : cause - {request.rule_id}")
        return
    client.send(say.market_rule(request.rule_id, steps_of(request.rule_id)))
