"""Who gives way to whom: the setting `priority` of a request, as on a real server, and what is added here.

The engine lets queries of a higher number pause at each block while one of a lower number runs; without the
setting (0) a query neither waits nor is waited for. Two things are added. FIRST also goes before all others
to a place (`admission`). A pause is short: the engine's second for each block let nothing of the market in
while executions came without an end. Nicer threads were tried and made fills later: a merge that lags leaves
more to read, and who holds Python's lock or the engine's holds up those before him.
"""

from collections.abc import Mapping
from typing import Final

SETTING: Final = "priority"
FIRST: Final = "1"
UNORDERED: Final = "0"
_PAUSE: Final = "low_priority_query_wait_time_ms"
PAUSE_MS: Final = 100  # of one block, for those who go before


def goes_first(settings: Mapping[str, str]) -> bool:
    """Whether nobody may be before it. Only the writer may ask for it."""
    return settings.get(SETTING) == FIRST


def giving_way(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings for the engine: who stands behind gives way for a bounded time, unless told otherwise."""
    if settings.get(SETTING, UNORDERED) in (FIRST, UNORDERED):
        return dict(settings)
    return {_PAUSE: str(PAUSE_MS), **settings}
