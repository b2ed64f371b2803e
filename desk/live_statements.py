"""The statements of a played session, fetched as those of a real broker are: from a Flex Web Service.

The service is the stub, on loopback, for the moment of the fetch; client, retries and inbox are the real
ones. Keep out: landing and reconciling, which the inbox does by itself.
"""

from collections.abc import Mapping

from adapters.configuration import load_settings
from adapters.configuration.environment import process_environment
from adapters.wiring import fetch_tools
from desk.play_folder import PlayFolder
from simulation.http.flex import TOKEN, FlexStub, serve_flex
from trading.ports.statement_source import StatementQuery
from trading.services.fetch_statements import Fetched, fetch_statement
from trading.settings import Settings

POLLS = 1  # "being generated" is said once, as a real service says it for minutes
QUICK: Mapping[str, str] = {"IBKR_FLEX_INTERVAL_MS": "100", "IBKR_FLEX_BACKOFF_MS": "100"}


def fetch_played_statements(folder: PlayFolder, configured: Settings) -> tuple[Fetched, ...]:
    """Put the session's Activity statement and Trade Confirmation into the inbox, the same each time."""
    stub: FlexStub = serve_flex(folder.statements, polls=POLLS)
    with stub:
        service = {
            "DESK_HOME": str(configured.paths.home),
            "IBKR_FLEX_TOKEN": TOKEN,
            "IBKR_FLEX_URL": stub.base_url,
            **{f"IBKR_FLEX_{query.upper()}_QUERY": query.value for query in StatementQuery},
            **QUICK,
        }
        tools = fetch_tools(load_settings({**process_environment(), **service}))
        return tuple(fetch_statement(query, tools, folder.session) for query in StatementQuery)
