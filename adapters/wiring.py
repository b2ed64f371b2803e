"""The one factory: settings in, adapters out; used by `desk` and by `orchestration`.

Nothing connects here: each adapter connects at its first use, so a service that is down is an error of the
call. A missing address is an error of the factory, with the way to mend it.
"""

from adapters.clickhouse.client import Warehouse
from trading.errors import ConfigurationError
from trading.settings import Settings


def open_warehouse(settings: Settings) -> Warehouse:
    """The warehouse as its writer."""
    return Warehouse(_required(settings.services.warehouse_url, "warehouse", "CLICKHOUSE_URL"))


def _required(url: str | None, service: str, variable: str) -> str:
    if url is None:
        raise ConfigurationError(f"{service}: no address; start the stack with `desk up` or set {variable}")
    return url
