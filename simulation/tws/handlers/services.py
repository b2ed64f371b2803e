"""Services this login does not have: a code each, or the fixed answer of an account without them. Data."""

from collections.abc import Callable, Mapping
from typing import Final

from simulation.tws.client import Client
from simulation.tws.replies import Message
from simulation.tws.requests.services import Service
from simulation.tws.state import GatewayState

NOT_ALLOWED: Final[Mapping[str, tuple[int, str]]] = {
    "advisor": (
        321,
        "Error validating request.-'b7' : cause - FA data operations ignored for non FA customers.",
    ),
    "scanner": (162, "Historical Market Data Service error message:Scanner subscription is not available"),
    "scanner_parameters": (322, "Error processing request.-'b5' : cause - Scanner is not available"),
    "fundamentals": (430, "We are sorry, but fundamentals data for the security specified is not available."),
    "news_article": (10276, "News feed is not allowed."),
    "historical_news": (10276, "News feed is not allowed."),
    "corporate_events": (10276, "News feed is not allowed."),
}
ANSWERS: Final[Mapping[str, Callable[[GatewayState, int], Message]]] = {
    "soft_dollar_tiers": lambda state, request_id: ["77", str(request_id), "0"],
    "family_codes": lambda state, request_id: ["78", "1", state.accounts[0], ""],
    "smart_components": lambda state, request_id: ["82", str(request_id), "0"],
    "news_providers": lambda state, request_id: ["85", "0"],
    "user_info": lambda state, request_id: ["107", str(request_id), ""],
}


def service(state: GatewayState, client: Client, request: Service) -> None:
    if request.name in ANSWERS:
        client.send(ANSWERS[request.name](state, request.request_id))
        return
    code, text = NOT_ALLOWED[request.name]
    client.error(request.request_id, code, text)
