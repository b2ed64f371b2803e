"""What assets and sensors ask for, by name; `orchestration/plant.py` makes it at the start of each run or
tick.

Settings are read then too, never at import: the code location loads with an empty environment, and a
service that moved is found at the next run.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

MADE_OF_WAREHOUSE = {
    "landing": "Landing of files from the inbox.",
    "book": "The P&L engine and its stores.",
    "reconciliation": "Comparison with the broker.",
    "models": "Runs SQL models and their tests.",
    "quality": "Quality rules by great-expectations, and the warehouse's own invariants.",
    "quality_history": "History of quality results.",
    "census": "Counts of tables.",
    "pnl_history": "What there is to draw.",
    "plots": "Pictures for people.",
    "clock": "The machine's clock.",
    "coverage": "What the coverage shift asks, tells and reads.",
    "live_checks": "What the checks of the live capture read.",
    "market_tools": "Sources of past market data, and where their rows go.",
    "market_audit": "Counts of market data and findings of its checks.",
    "market_checks": "What the checks of market data read.",
    "live_state": "The live state in Redis.",
    "alerts": "What a person must see, in Redis.",
    "alert_drain": "Takes alerts to the warehouse, where no resident does.",
}


@dg.resource(description="The effective settings of this machine.")
def settings(context: dg.InitResourceContext) -> object:
    """Read files and environment."""
    from adapters.configuration import load_settings

    return load_settings()


@dg.resource(required_resource_keys={"settings"}, description="The warehouse as its writer.")
def warehouse(context: dg.InitResourceContext) -> Iterator[object]:
    """Open it, and give its connections back at the end."""
    from orchestration import plant

    client = plant.warehouse(context.resources.settings)
    try:
        yield client
    finally:
        client.close()


@dg.resource(
    required_resource_keys={"settings"},
    description="Statements from the broker's web service into the inbox.",
)
def fetching(context: dg.InitResourceContext) -> object:
    """Read the token anew: a person may have set one."""
    from adapters.wiring import fetch_tools

    return fetch_tools(context.resources.settings)


def _made_of_warehouse(name: str, description: str) -> dg.ResourceDefinition:
    def make(context: dg.InitResourceContext) -> object:
        from orchestration import plant

        return getattr(plant, name)(context.resources)

    return dg.ResourceDefinition(
        resource_fn=make, description=description, required_resource_keys={"settings", "warehouse"}
    )


RESOURCES: dict[str, Any] = {
    "settings": settings,
    "warehouse": warehouse,
    "fetching": fetching,
    **{name: _made_of_warehouse(name, about) for name, about in MADE_OF_WAREHOUSE.items()},
}
