"""Who gives way to whom: the setting `priority` of a request, as on a real server, and what is added here.

The engine lets queries of a higher number pause at each block while one of a lower number runs; without the
setting (0) a query neither waits nor is waited for. Three things are added. FIRST also goes before all others
to a place (`admission`). A pause is short: the engine's second for each block let nothing of the market in
while executions came without an end. Where the process may (CAP_SYS_NICE), threads of those behind FIRST
leave the processors to others; elsewhere the engine ignores that.
"""

from collections.abc import Mapping
from typing import Final

SETTING: Final = "priority"
FIRST: Final = "1"
UNORDERED: Final = "0"
_NICENESS: Final = "os_threads_nice_value_query"
_PAUSE: Final = "low_priority_query_wait_time_ms"
BEHIND_NICENESS: Final = 5  # a third of the share of what is not nice, as the processes of the market have
PAUSE_MS: Final = 100  # of one block, for those who go before


def goes_first(settings: Mapping[str, str]) -> bool:
    """Whether nobody may be before it. Only the writer may ask for it."""
    return settings.get(SETTING) == FIRST


def giving_way(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings for the engine: who stands behind gives way, for a bounded time and on the processors."""
    if settings.get(SETTING, UNORDERED) in (FIRST, UNORDERED):
        return dict(settings)
    return {_NICENESS: str(BEHIND_NICENESS), _PAUSE: str(PAUSE_MS), **settings}
