"""Files from the inbox, and what the venues said in them.

`audit/landed_files` takes files as they come. `core/fill_revisions` and `core/broker_statements` are the
same records by session: building a session reads its archived files again, which adds only what was lost.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from pydantic import Field

from assets.metadata import asset_key, holes_metadata, landing_metadata, told
from assets.sessions import FRESH, asked_sessions, exchange_sessions
from trading.ports.inbox import InboxFile
from trading.ports.model_runner import TableName
from trading.ports.table_census import TableCensus
from trading.services.check_live import LiveCheckTools, holes_before_and_after
from trading.services.land_files import LandingTools, land, read_again, total_of_files

OWNERS = ["team:desk"]
LANDED = TableName(database="audit", table="landed_files")
BATCHES = TableName(database="audit", table="ingestion_batches")
REVISIONS = TableName(database="core", table="fill_revisions")
STATEMENTS = TableName(database="core", table="broker_statements")
FILLS = TableName(database="core", table="fills")


class NamedFile(dg.Config):
    """A file of the inbox by name and content."""

    name: str
    sha256: str
    size_bytes: int = 0


class LandFiles(dg.Config):
    """The files to land; those that changed meanwhile are left for the next look."""

    files: list[NamedFile] = Field(default_factory=list)


class ReadAgain(dg.Config):
    """Whether archived files of the sessions are read once more before counting."""

    archive: bool = True


@dg.multi_asset(
    name="land_files",
    specs=[
        dg.AssetSpec(
            asset_key(LANDED),
            description=(
                "Each file of the inbox with what became of it: landed, reconciled, or refused with a reason."
            ),
            group_name="inbox",
            owners=OWNERS,
            kinds={"clickhouse", "xml", "json"},
            tags={"layer": "audit"},
            code_version="1",
        ),
        dg.AssetSpec(
            asset_key(BATCHES),
            description="Every attempt to store a batch of fills: seen, new, duplicate, corrected, rejected.",
            group_name="inbox",
            owners=OWNERS,
            kinds={"clickhouse"},
            tags={"layer": "audit"},
            code_version="1",
        ),
    ],
    pool="warehouse_writes",
)
def land_files(
    context: dg.AssetExecutionContext,
    config: LandFiles,
    landing: dg.ResourceParam[LandingTools],
    census: dg.ResourceParam[TableCensus],
) -> Iterator[dg.MaterializeResult[Any]]:
    """Take files from the inbox: archive, read, store what is new, record what became of each."""
    files = [
        InboxFile(name=file.name, sha256=file.sha256, size_bytes=file.size_bytes) for file in config.files
    ]
    landings = land(files, landing)
    details = landing_metadata(landings, total_of_files(landings), landing.clock.now())
    context.log.info(
        f"fills_deduped {details['fills_deduped']} fill_pipeline_stats {details['fill_pipeline_stats']}"
    )
    for table in (LANDED, BATCHES):
        yield told(context, census.count(table), details)


@dg.multi_asset(
    name="record_sessions",
    specs=[
        dg.AssetSpec(
            asset_key(REVISIONS),
            deps=[asset_key(LANDED)],
            description="Every version of every fill that any source ever told; nothing is ever taken away.",
            group_name="fills",
            owners=OWNERS,
            kinds={"clickhouse"},
            tags={"layer": "core"},
            code_version="1",
            freshness_policy=FRESH,
        ),
        dg.AssetSpec(
            asset_key(STATEMENTS),
            deps=[asset_key(LANDED)],
            description="The broker's statements as they were told, with their positions, cash and events.",
            group_name="statements",
            owners=["team:middle-office"],
            kinds={"clickhouse"},
            tags={"layer": "core"},
            code_version="1",
            freshness_policy=FRESH,
        ),
    ],
    partitions_def=exchange_sessions(),
    backfill_policy=dg.BackfillPolicy.single_run(),
    pool="warehouse_writes",
)
def record_sessions(
    context: dg.AssetExecutionContext,
    config: ReadAgain,
    landing: dg.ResourceParam[LandingTools],
    census: dg.ResourceParam[TableCensus],
) -> Iterator[dg.MaterializeResult[Any]]:
    """Read the archived files of the sessions again, so that what was lost comes back, and count what is
    there.
    """
    sessions = asked_sessions(context)
    landings = read_again(sessions, landing) if sessions and config.archive else ()
    details = landing_metadata(landings, total_of_files(landings), landing.clock.now())
    for table in (REVISIONS, STATEMENTS):
        yield told(context, census.count(table, sessions), details)


@dg.asset(
    key=asset_key(FILLS),
    deps=[asset_key(REVISIONS)],
    description=(
        "One row per fill as it stands: highest revision, then best source, then content. "
        "Unique by construction."
    ),
    group_name="fills",
    owners=OWNERS,
    kinds={"clickhouse", "view"},
    tags={"layer": "core"},
    code_version="1",
    freshness_policy=FRESH,
    partitions_def=exchange_sessions(),
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def fills(
    context: dg.AssetExecutionContext,
    census: dg.ResourceParam[TableCensus],
    live_checks: dg.ResourceParam[LiveCheckTools],
) -> dg.MaterializeResult[Any]:
    """Count the fills; the view needs no building. Holes of the live capture are named, closed ones too."""
    sessions = asked_sessions(context)
    holes = holes_metadata(*holes_before_and_after(live_checks, sessions))
    return told(context, census.count(FILLS, sessions), holes)
