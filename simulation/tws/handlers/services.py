"""Services this login does not have: a code each, or the fixed answer of an account without them. Data."""

from collections.abc import Callable, Mapping
from typing import Final

from simulation.tws.client import Client
from simulation.tws.replies import Message
from simulation.tws.requests.services import Service
from simulation.tws.state import GatewayState

NO_SCANNERS: Final = (
    '<?xml version="1.0" encoding="UTF-8"?><ScanParameterResponse><InstrumentList varName="instrumentList"/>'
    '<LocationTree varName="locationTree"/><ScanTypeList varName="scanTypeList"/></ScanParameterResponse>'
)
NOT_ALLOWED: Final[Mapping[str, tuple[int, str]]] = {
    "advisor": (
        321,
        "Error validating request.-'b7' : cause - FA data operations ignored for non FA customers.",
    ),
    "scanner": (162, "Historical Market Data Service error message:Scanner subscription is not available"),
    "exercise": (321, "Error validating request.-'bc' : cause - Exercise is not allowed for this account."),
    "verify": (321, "Error validating request.-'cb' : cause - Verification is not supported."),
    "group_events": (321, "Error validating request.-'cg' : cause - Invalid group id: there are no groups."),
    "fundamentals": (430, "We are sorry, but fundamentals data for the security specified is not available."),
    "news_article": (10276, "News feed is not allowed."),
    "historical_news": (10276, "News feed is not allowed."),
    "corporate_events": (10276, "News feed is not allowed."),
}
ANSWERS: Final[Mapping[str, Callable[[GatewayState, int], Message]]] = {
    "soft_dollar_tiers": lambda state, request_id: ["77", str(request_id), "0"],
    "family_codes": lambda state, request_id: ["78", "1", state.accounts[0], ""],
    "scanner_parameters": lambda state, request_id: ["19", "1", NO_SCANNERS],
    "smart_components": lambda state, request_id: ["82", str(request_id), *_components()],
    "news_providers": lambda state, request_id: ["85", "0"],
    "display_groups": lambda state, request_id: ["67", "1", str(request_id), ""],
    "user_info": lambda state, request_id: ["107", str(request_id), ""],
}


def _components() -> list[str]:
    """Which exchange a bit of a SMART touch stands for: bit, exchange, its letter on the tape."""
    letters = {"ISLAND": "Q", "NYSE": "N", "ARCA": "P", "BATS": "Z", "IEX": "V", "EDGX": "K"}
    rows = [(str(bit), exchange, letter) for bit, (exchange, letter) in enumerate(letters.items())]
    return [str(len(rows)), *(text for row in rows for text in row)]


def service(state: GatewayState, client: Client, request: Service) -> None:
    if request.name in ANSWERS:
        client.send(ANSWERS[request.name](state, request.request_id))
        return
    code, text = NOT_ALLOWED[request.name]
    client.error(request.request_id, code, text)
