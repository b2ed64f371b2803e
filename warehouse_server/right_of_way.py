"""Who gives way to whom: the setting `priority` of a request, as on a real server, and what is added here.

The engine lets queries of a higher number pause at each block while one of a lower number runs; without the
setting (0) a query neither waits nor is waited for. Two things are added. FIRST also goes before all others
to a place (`admission`). Where the process may (CAP_SYS_NICE), threads of those behind FIRST leave the
processors to others; elsewhere the engine ignores that.
"""

from collections.abc import Mapping
from typing import Final

SETTING: Final = "priority"
FIRST: Final = "1"
UNORDERED: Final = "0"
_NICENESS: Final = "os_threads_nice_value_query"
BEHIND_NICENESS: Final = 10  # a tenth of the share of what is not nice


def goes_first(settings: Mapping[str, str]) -> bool:
    """Whether nobody may be before it. Only the writer may ask for it."""
    return settings.get(SETTING) == FIRST


def with_niceness(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings for the engine: who stands behind gives way on the processors as well."""
    asked = settings.get(SETTING, UNORDERED)
    if asked in (FIRST, UNORDERED) or _NICENESS in settings:
        return dict(settings)
    return {**settings, _NICENESS: str(BEHIND_NICENESS)}
