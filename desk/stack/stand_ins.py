"""The ports of the stand-ins for vendors, and what every process of the home is told of them.

The addresses and the key are then theirs, whatever the user has set: a simulated day asks nobody real.
"""

from collections.abc import Mapping

from desk.stack.ports import LOOPBACK
from simulation.http.cboe import PATH as CBOE_PATH
from simulation.http.vendor_words import KEY
from trading.settings import Settings

ALPHA_VANTAGE_STUB, CBOE_STUB, YAHOO_STUB = "stub-alpha-vantage", "stub-cboe", "stub-yahoo"
STAND_INS = (ALPHA_VANTAGE_STUB, CBOE_STUB, YAHOO_STUB)


def wished_stub_ports(settings: Settings) -> dict[str, int]:
    """The ports that they like best."""
    told = settings.stubs
    return {
        ALPHA_VANTAGE_STUB: told.alpha_vantage_port,
        CBOE_STUB: told.cboe_port,
        YAHOO_STUB: told.yahoo_port,
    }


def stub_endpoints(ports: Mapping[str, int]) -> dict[str, str]:
    """Where they are, for themselves and for who asks them; empty where they do not run."""
    if ALPHA_VANTAGE_STUB not in ports:
        return {}
    alpha_vantage, cboe, yahoo = (ports[name] for name in STAND_INS)
    return {
        "DESK_STUB_ALPHA_VANTAGE_PORT": str(alpha_vantage),
        "DESK_STUB_CBOE_PORT": str(cboe),
        "DESK_STUB_YAHOO_PORT": str(yahoo),
        "ALPHA_VANTAGE_URL": f"http://{LOOPBACK}:{alpha_vantage}",
        "ALPHA_VANTAGE_KEY": KEY,
        "CBOE_HISTORY_URL": f"http://{LOOPBACK}:{cboe}{CBOE_PATH}",
        "YAHOO_URL": f"http://{LOOPBACK}:{yahoo}",
    }
