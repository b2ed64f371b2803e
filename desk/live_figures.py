"""What a live session came to: counts, holes, latency, and each row that is not as the journal has it.

Pure reading: the journal and the gateway's sendings from its folder, the rest from the warehouse. Keep out:
playing the session (`desk/live_session.py`), printing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sql
from adapters.clickhouse.client import Warehouse
from desk.live_session import LiveSession
from desk.sample_desk import compare_with_journal
from simulation.sample_desk import Difference, Journal
from trading.model.broker import Completeness, LinkState

READY = frozenset({LinkState.READY.value, LinkState.DATA_DEGRADED.value})
FAULTS_MOST = 1_000
NANOSECONDS_A_MS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFigures:
    """One live session in numbers. Latency is from the gateway's sending to the row, and to the fill."""

    fills: int
    corrected: int
    busted: int
    heard: int
    sent: int
    sweeps: int
    holes: int
    holes_closed: int
    gaps: int
    position_differences: int
    position_differences_lifted: int
    latency_p50_ms: float | None
    latency_p99_ms: float | None
    fill_latency_p50_ms: float | None
    fill_latency_p99_ms: float | None
    differences: tuple[Difference, ...]

    @property
    def repeats(self) -> int:
        """Executions that were sent live once more; each sweep tells all of the day again besides."""
        return max(0, self.sent - self.heard)


def figures_of(live: LiveSession, warehouse: Warehouse) -> LiveFigures:
    """Read all; the statement must have been reconciled, since the journal knows positions and cash."""
    journal = Journal.read(live.folder.journal)
    since = {"since": datetime.fromtimestamp(live.began_at, UTC)}
    heard = warehouse.rows(sql.query("live_executions_heard"), since)
    connection = warehouse.rows(sql.query("live_connection"), since)
    (positions,) = warehouse.rows(sql.query("live_position_breaks"), since)
    sendings = read_sendings(
        live.folder.sent.read_text(encoding="utf-8") if live.folder.sent.exists() else ""
    )
    holes, closed = holes_in(connection)
    latencies = sorted(latencies_ms(sendings, heard))
    to_fills = sorted(latencies_ms(sendings, heard, until="filled_at"))
    return LiveFigures(
        fills=len(journal.fills),
        corrected=len(journal.corrected),
        busted=len(journal.busted),
        heard=len(heard),
        sent=sum(len(moments) for moments in sendings.values()),
        sweeps=sum(row["completeness"] == Completeness.COMPLETE.value for row in connection),
        holes=holes,
        holes_closed=closed,
        gaps=len(warehouse.rows(sql.query("outbox_gaps"), {"most": FAULTS_MOST})),
        position_differences=int(positions["noticed"]),
        position_differences_lifted=int(positions["lifted"]),
        latency_p50_ms=percentile(latencies, 50),
        latency_p99_ms=percentile(latencies, 99),
        fill_latency_p50_ms=percentile(to_fills, 50),
        fill_latency_p99_ms=percentile(to_fills, 99),
        differences=compare_with_journal(journal, warehouse),
    )


def read_sendings(text: str) -> Mapping[str, Sequence[int]]:
    """When each execution went out live, in nanoseconds since the epoch; a torn last line is left out."""
    sendings: dict[str, list[int]] = {}
    for line in text.splitlines():
        exec_id, _, moment = line.partition(" ")
        if moment.isdigit():
            sendings.setdefault(exec_id, []).append(int(moment))
    return sendings


def latencies_ms(
    sendings: Mapping[str, Sequence[int]], heard: Sequence[Mapping[str, Any]], until: str = "drained_at"
) -> Sequence[float]:
    """From the first sending to the row, of executions that were sent before they were heard in an answer."""
    told = []
    for row in heard:
        first = min(sendings.get(row["exec_id"], ()), default=None)
        if first is not None and row[until] and first <= _nanoseconds(row["heard_at"]):
            told.append((_nanoseconds(row[until]) - first) / NANOSECONDS_A_MS)
    return told


def holes_in(connection: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """How often we did not listen after having listened, and after how many of them all was told again."""
    holes = closed = 0
    was_ready = is_open = False
    for row in connection:
        if row["told"] == "link":
            is_ready = row["state"] in READY
            is_stopped = row["state"] == LinkState.STOPPED.value  # we left; nobody meant to listen
            if was_ready and not is_ready and not is_stopped and not is_open:
                holes, is_open = holes + 1, True
            was_ready = is_ready
        elif is_open and row["completeness"] == Completeness.COMPLETE.value:
            closed, is_open = closed + 1, False
    return holes, closed


def percentile(ordered: Sequence[float], percent: int) -> float | None:
    """The value below which so many percent lie; None of nothing."""
    if not ordered:
        return None
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def _nanoseconds(moment: datetime) -> int:
    since = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1_000
