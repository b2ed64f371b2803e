"""The columns of market tables as a run tells people of them: names, types and meanings."""

from collections.abc import Sequence

import dagster as dg

from assets.metadata import Metadata
from trading.model.market import MarketKind
from trading.ports.market_audit import MarketAudit


def columns_metadata(audit: MarketAudit, kinds: Sequence[MarketKind]) -> Metadata:
    """The columns with what they mean; of a table of several kinds each under its kind."""
    columns = [
        dg.TableColumn(
            f"{kind}.{note.name}" if len(kinds) > 1 else note.name, note.type, description=note.about or None
        )
        for kind in kinds
        for note in audit.columns(kind)
    ]
    return {"dagster/column_schema": dg.TableSchema(columns=columns)}
