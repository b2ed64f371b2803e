"""Samples of measures in the warehouse: metrics.samples, and the roll-ups that follow its inserts.

A statement, not a client's insert: what it writes into the roll-ups would be counted with the samples. It is
sent once and never compared, for a sample that is lost or stored twice changes no money and no figure.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import sql
from adapters.clickhouse.client import Warehouse
from trading.errors import InvalidFieldError
from trading.ports.metric_store import SAMPLES_PER_CALL_MAX, MetricStore, Sample

SAMPLES_PER_STATEMENT = 2_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


class ClickHouseMetricStore(MetricStore):
    """The port on a real or embedded server."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def record(self, samples: Sequence[Sample]) -> None:
        """Insert in portions; a sample that is told again is the same row by its key."""
        if len(samples) > SAMPLES_PER_CALL_MAX:
            raise InvalidFieldError("samples", f"at most {SAMPLES_PER_CALL_MAX}", len(samples))
        for start in range(0, len(samples), SAMPLES_PER_STATEMENT):
            part = samples[start : start + SAMPLES_PER_STATEMENT]
            asked: dict[str, object] = {
                "names": [sample.name for sample in part],
                "sources": [sample.source for sample in part],
                "feeds": [sample.feed for sample in part],
                "symbols": [sample.symbol for sample in part],
                "moments_ms": [(sample.at - EPOCH) // MILLISECOND for sample in part],
                "values": [sample.value for sample in part],
            }
            self._warehouse.command(sql.query("metric_samples_tell"), asked)
