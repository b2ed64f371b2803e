"""Requests to the contract master."""

from simulation.broker.questions import ContractQuery
from simulation.market.rules import RULES, steps_of
from simulation.tws.client import Client
from simulation.tws.replies import contracts as say
from simulation.tws.replies.session import NO_REQUEST
from simulation.tws.requests.contracts import Chains, ContractDetails, MarketRule, MatchingSymbols
from simulation.tws.state import GatewayState

SAMPLES_MAX = 16
DERIVED = ("STK", "IND", "CASH")


def details(state: GatewayState, client: Client, request: ContractDetails) -> None:
    found = state.broker.contracts(request.query)
    if not found:
        client.error(request.request_id, 200)
        return
    for record in found:
        client.send(say.contract_details(request.request_id, record, request.query.exchange, client.version))
    client.send(say.contract_details_end(request.request_id))


def chains(state: GatewayState, client: Client, request: Chains) -> None:
    known = state.broker.contracts(ContractQuery(conid=request.conid))
    if not known or request.exchange:
        reason = "Invalid contract id" if not known else "FOP exchange given for a share"
        client.error(request.request_id, 321, f"Error validating request.-'ch' : cause - {reason}")
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
