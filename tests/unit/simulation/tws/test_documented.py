"""The page about the wire shows the table and the limits as they are."""

from pathlib import Path

from simulation.market.parts import BARS_MOST
from simulation.tws import pacing
from simulation.tws.described import requests_table
from simulation.tws.link import UNSENT_BYTES_MAX
from simulation.tws.options import GatewayOptions
from simulation.tws.subscriptions import SUBSCRIPTIONS_MAX
from simulation.tws.versions import NEWEST, OLDEST

PAGE = (Path(__file__).parents[4] / "docs" / "gateway.md").read_text(encoding="utf-8")


def test_the_page_shows_every_request_that_is_answered() -> None:
    """The table is generated; a new request is a change of the page."""
    assert requests_table() in PAGE


def test_the_page_shows_the_limits_that_are_kept() -> None:
    """Each number of the page is the one in the code."""
    options = GatewayOptions()
    for row in (
        f"versions {OLDEST} to {NEWEST}",
        f"| messages a second (by the wall) | {options.messages_per_second} |",
        f"| market data lines | {options.market_data_lines} |",
        f"| books | {options.depth_lines} |",
        f"| tick-by-tick lines | {options.tick_by_tick_lines}, none for options |",
        f"{pacing.HISTORY_REQUESTS_MAX} in 10 minutes, {pacing.SAME_CONTRACT_MAX - 1} of one contract in 2 s",
        f"| bars of one answer | {BARS_MOST:,} |",
        f"| subscriptions of one client | {SUBSCRIPTIONS_MAX:,} |",
        f"| {UNSENT_BYTES_MAX >> 20} MiB |",
        f"| clients | {options.clients_max} |",
    ):
        assert row in PAGE, row
