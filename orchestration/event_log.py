"""Dagster's event log on SQLite, made fit for runs over many sessions.

Dagster notes before a run's first step what it plans: an event for each asset and session, and a row for
each check and session, each with the whole set of partitions in it. Over 435 sessions that was 107 s of
waiting and 540 MB on disk before 58 s of work, most of which again was one commit for each asset and
session. Here an asset is planned by one event that carries its sessions; a check, which in this house looks
at a run as a whole, by one row, which its result then fills; and what one step says of many sessions is
committed at once.

What that costs: the sessions of a run that failed are not marked as failed one by one; the run is. `desk up`
names this class in dagster.yaml. Keep out: anything about what a run does.

Dagster also opens and closes a database for each event and question, and with the last connection SQLite
writes its log back and waits for the disk: a fifth of the time of a run over one session. Here the newest
few databases stay open, and a commit is in the file at once and on the disk at the next writing back. So a
killed process loses nothing; a machine that loses its power may lose the last events of a run, and never a
row of the warehouse.
"""

import os
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from dagster import DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData

DATABASES_OPEN_MAX = 4  # one for each run that is written or looked at, and the index


class WideRunEventLog(SqliteEventLogStorage):
    """The default event log on the same files and tables; either reads what the other wrote."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._open: OrderedDict[str, sa.Engine] = OrderedDict()  # the least used first; under the log's lock
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "WideRunEventLog":
        """Build it as dagster.yaml says."""
        return cls(inst_data=inst_data, **config_value)

    @property
    def supports_partition_subset_in_asset_materialization_planned_events(self) -> bool:
        """One planned event for an asset, whatever the number of its sessions."""
        return True

    def dispose(self) -> None:
        """Close what is open."""
        with self._db_lock:
            while self._open:
                self._open.popitem()[1].dispose()
        super().dispose()

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sa.Connection]:
        """A transaction on one database, by one thread at a time as in the default."""
        with self._db_lock:
            engine = self._opened(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def _opened(self, shard: str) -> sa.Engine:
        """The database, opened where it is not; one whose file was taken away is made anew."""
        engine = self._open.pop(shard, None)
        if engine is not None and not os.path.exists(self.path_for_shard(shard)):
            engine.dispose()
            self._initialized_dbs.discard(shard)
            engine = None
        if engine is None:
            engine = _engine(self.conn_string_for_shard(shard))
        self._open[shard] = engine
        while len(self._open) > DATABASES_OPEN_MAX:
            self._open.popitem(last=False)[1].dispose()
        return engine

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event; a planned check loses its sessions, as its result names none."""
        super().store_event(_without_sessions(event))

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store what one step materialized in one commit for each of the two files; all else one by one."""
        if not _are_materializations_of_one_run(events):
            super().store_event_batch(events)
            return
        statements = [self.prepare_insert_event(event) for event in events]
        with self.run_connection(events[0].run_id) as connection:
            for statement in statements:
                connection.execute(statement)
        with self.index_transaction() as connection:
            for event, statement in zip(events, statements, strict=True):
                event_id = connection.execute(statement).inserted_primary_key[0]
                self._store_asset_event_tags(connection, [event], [event_id])
                self._store_asset_event(connection, event, event_id)


def _engine(address: str) -> sa.Engine:
    """One connection that stays open, passed from thread to thread by the caller's lock; making the tables
    takes more than one.
    """
    engine = sa.create_engine(
        address,
        poolclass=sa.pool.QueuePool,
        pool_size=1,
        connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
    )
    sa.event.listen(engine, "connect", _set_up)
    return engine


def _set_up(connection: Any, _record: object) -> None:
    connection.execute("pragma synchronous = normal")  # sound beside a write-ahead log, which these have


def _are_materializations_of_one_run(events: Sequence[EventLogEntry]) -> bool:
    kinds = {event.dagster_event.event_type if event.dagster_event else None for event in events}
    return kinds == {DagsterEventType.ASSET_MATERIALIZATION} and len({event.run_id for event in events}) == 1


def _without_sessions(event: EventLogEntry) -> EventLogEntry:
    told = event.dagster_event
    if told is None or told.event_type != DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED:
        return event
    plan = told.asset_check_planned_data
    brief = type(plan)(asset_key=plan.asset_key, check_name=plan.check_name)
    return event._replace(dagster_event=told._replace(event_specific_data=brief))
