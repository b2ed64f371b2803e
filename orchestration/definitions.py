"""The code location: assets, checks, jobs, sensors, schedules and resources, put together."""

import dagster as dg

import dbt_like_models
from adapters.clickhouse.model_project import ModelProject
from adapters.quality.invariants import invariant_rules
from adapters.quality.rules import RULES
from assets import books as book_assets
from assets import landing, live
from assets.books import BREAKS, PNL
from assets.checks import build_quality_checks
from assets.landing import BATCHES, FILLS, REVISIONS, STATEMENTS
from assets.live import ENTRIES, LIVE_CHECKS
from assets.market import MARKET_ASSETS, MARKET_SOURCES
from assets.market_checks import MARKET_CHECKS
from assets.models import build_model_assets, build_model_checks
from orchestration.jobs import JOBS
from orchestration.market_schedules import MARKET_SCHEDULES
from orchestration.resources import RESOURCES
from orchestration.schedules import SCHEDULES
from orchestration.shifts import SHIFTS
from sensors.inbox import books, inbox
from sensors.residents import residents

CHECKED = (BATCHES, BREAKS, ENTRIES, FILLS, PNL, REVISIONS, STATEMENTS)  # what an invariant may be about


@dg.definitions
def defs() -> dg.Definitions:
    """Everything that Dagster shows and runs."""
    specs = ModelProject(dbt_like_models.FOLDER).specs
    rules = (*RULES, *invariant_rules(CHECKED))
    return dg.Definitions(
        assets=[
            *dg.load_assets_from_modules([landing, live, book_assets]),
            *MARKET_SOURCES,
            *MARKET_ASSETS,
            *build_model_assets(specs),
        ],
        asset_checks=[
            *build_quality_checks(rules),
            *LIVE_CHECKS,
            *MARKET_CHECKS,
            *build_model_checks(specs),
        ],
        jobs=[*JOBS, *SHIFTS],
        schedules=[*SCHEDULES, *MARKET_SCHEDULES],
        sensors=[inbox, books, residents],
        resources=RESOURCES,
        executor=dg.in_process_executor,
    )
