"""What a run tells people: counts, ages, table names, columns, lineage, and the figures that alerts know by
name.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import dagster as dg

from trading.ports.inbox import Landing
from trading.ports.model_runner import ColumnOrigin, ModelReport, ModelSpec, TableName
from trading.ports.table_census import TableCount
from trading.services.compute_books import BooksReport
from trading.services.cover_session import SessionCoverage
from trading.services.land_files import LandingTotals
from trading.services.reconcile_books import ReconcileSummary

Metadata = dict[str, Any]
LANDINGS_SHOWN_MAX = 200
HOLES_SHOWN_MAX = 50


def asset_key(table: TableName) -> dg.AssetKey:
    """An asset's key is [database, table]."""
    return dg.AssetKey([table.database, table.table])


def told(
    context: dg.AssetExecutionContext, count: TableCount, *details: Metadata
) -> dg.MaterializeResult[Any]:
    """What a run says of one table: counts with every session, columns and details with the last one.

    A run over a range is one event for each of its sessions; a picture in each would be a year of pictures.
    """
    key = asset_key(count.table)
    heavy: Metadata = {"dagster/column_schema": _column_schema(count.columns, count.described)}
    for detail in details:
        heavy.update(detail)
    sessions = _sessions_of(context)
    if len(sessions) <= 1:
        return dg.MaterializeResult(asset_key=key, metadata={**_counts(count), **heavy})
    context.add_asset_metadata(heavy, asset_key=key, partition_key=sessions[-1])
    return dg.MaterializeResult(asset_key=key, metadata=_counts(count))


def _sessions_of(context: dg.AssetExecutionContext) -> list[str]:
    if context.assets_def.partitions_def is None or not context.has_partition_key_range:
        return []
    return list(context.partition_keys)


def _counts(count: TableCount) -> Metadata:
    found: Metadata = {"dagster/row_count": count.rows, "dagster/table_name": str(count.table)}
    if count.rows_in_sessions is not None:
        found["rows_in_sessions"] = count.rows_in_sessions
    if count.first_session is not None and count.last_session is not None:
        found["sessions"] = f"{count.first_session} to {count.last_session}"
    return found


def model_metadata(spec: ModelSpec, report: ModelReport) -> Metadata:
    """Rows, columns with their descriptions, and the columns that each is made from."""
    described = {column.name: column.description for column in spec.columns}
    return {
        "dagster/row_count": report.rows,
        "dagster/table_name": str(spec.relation),
        "dagster/column_schema": _column_schema(report.columns, described),
        "dagster/column_lineage": _column_lineage(report.lineage),
        "replaced_partitions": list(report.replaced_partitions),
    }


def landing_metadata(landings: Sequence[Landing], totals: LandingTotals, now: datetime) -> Metadata:
    """The batch statistics, under the names that alerts know, and a table of the files."""
    return {
        "fills_deduped": {
            "total_rows": totals.total_rows,
            "new_rows": totals.new_rows,
            "duplicates_filtered": totals.duplicates_filtered,
            "corrected": totals.corrected,
            "rejected": totals.rejected,
        },
        "fill_pipeline_stats": {
            "first_fill_ts_iso": _iso(totals.first_fill_at),
            "last_fill_ts_iso": _iso(totals.last_fill_at),
            "now_iso": now.isoformat(),
            "ts_age_sec": totals.age_seconds(now),
        },
        "files": len(landings),
        "what became of each": dg.MetadataValue.table(
            [_file_record(item) for item in landings[:LANDINGS_SHOWN_MAX]] or [_no_file()],
            schema=FILE_COLUMNS,
        ),
    }


def books_metadata(report: BooksReport) -> Metadata:
    """What the P&L engine had to compute."""
    return {
        "account_sessions_computed": report.computed,
        "account_sessions_unchanged": report.unchanged,
        "account_sessions_withdrawn": report.withdrawn,
    }


def reconcile_metadata(summary: ReconcileSummary) -> Metadata:
    """What the comparison with the broker found."""
    return {
        "standing": dict(summary.states),
        "open_breaks": summary.open_breaks,
        "new_break_events": summary.new_events,
        "new_lock_events": summary.lock_events,
        "fills_matched": summary.fills_matched,
    }


def holes_metadata(before: Sequence[SessionCoverage], after: Sequence[SessionCoverage]) -> Metadata:
    """Hours of the asked sessions that the live capture left, and which of them nobody told to this day."""
    return {
        "account_sessions_listened_to": len(before),
        "holes_before": sum(len(item.holes) for item in before),
        "holes_after": sum(len(item.holes) for item in after),
        "hole_seconds_before": sum(item.hole_seconds for item in before),
        "hole_seconds_after": sum(item.hole_seconds for item in after),
        "holes left": dg.MetadataValue.md(holes_text(after)),
    }


def holes_text(coverage: Sequence[SessionCoverage]) -> str:
    """A list of holes for people, cut where it is long."""
    lines = [
        f"- {item.account} {item.session}: {hole.start:%H:%M:%S} to {hole.end:%H:%M:%S} UTC"
        for item in coverage
        for hole in item.holes
    ]
    return "\n".join(lines[:HOLES_SHOWN_MAX]) or "none"


FILE_COLUMNS = dg.TableSchema(
    columns=[
        dg.TableColumn("file", "string"),
        dg.TableColumn("state", "string"),
        dg.TableColumn("reason", "string"),
        dg.TableColumn("kind", "string"),
        dg.TableColumn("total", "int"),
        dg.TableColumn("new", "int"),
        dg.TableColumn("duplicates", "int"),
        dg.TableColumn("corrected", "int"),
        dg.TableColumn("rejected", "int"),
    ]
)


def _file_record(item: Landing) -> dg.TableRecord:
    return dg.TableRecord(
        {
            "file": item.file.name,
            "state": str(item.state),
            "reason": item.reason,
            "kind": f"{item.venue} {item.kind}".strip(),
            "total": item.total_rows,
            "new": item.new_rows,
            "duplicates": item.duplicates_filtered,
            "corrected": item.corrected,
            "rejected": item.rejected,
        }
    )


def _no_file() -> dg.TableRecord:
    nothing = {"file": "(none)", "state": "", "reason": "", "kind": ""}
    return dg.TableRecord(
        {**nothing, **dict.fromkeys(("total", "new", "duplicates", "corrected", "rejected"), 0)}
    )


def _column_schema(columns: Sequence[tuple[str, str]], described: Mapping[str, str]) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[dg.TableColumn(name, type=kind, description=described.get(name)) for name, kind in columns]
    )


def _column_lineage(lineage: Mapping[str, Sequence[ColumnOrigin]]) -> dg.TableColumnLineage:
    return dg.TableColumnLineage(
        deps_by_column={
            name: [
                dg.TableColumnDep(asset_key=asset_key(origin.table), column_name=origin.column)
                for origin in origins
            ]
            for name, origins in lineage.items()
        }
    )


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
