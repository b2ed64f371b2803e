"""Which residents should say that they live: those of the running stack, else those of the settings."""

from desk.stack.control import current_state
from desk.stack.layout import StackLayout
from desk.stack.residents import BEATING, wanted_residents
from trading.errors import ConfigurationError
from trading.settings import Settings


def expected_residents(configured: Settings) -> tuple[str, ...]:
    """By the user's own settings; a home that asks for two brokers at once has none."""
    state = current_state(StackLayout(configured.paths.home))
    if state is not None:
        return tuple(name for name in BEATING if state.service(name) is not None)
    try:
        wanted = wanted_residents(configured)
    except ConfigurationError:
        return ()
    return tuple(name for name in BEATING if name in wanted)
