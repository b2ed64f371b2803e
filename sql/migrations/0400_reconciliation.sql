-- Reconciliation: what differs from the broker and what became of it, as events; who may trade meanwhile, as events.

-- Grain: one event of one break. A break's id is the hash of venue, account, session, kind and what it is about, so the
-- same difference found twice is one break. Amounts carry twelve places because a break may be of a price or a quantity.
create table if not exists core.break_events
(
    venue LowCardinality(String),
    account LowCardinality(String),
    session Date,
    break_id String,
    sequence UInt32,
    event_id String,
    kind LowCardinality(String),
    instrument_id String,
    conid Nullable(Int64),
    symbol LowCardinality(String),
    underlying LowCardinality(String),
    currency LowCardinality(String),
    item_key String,
    unit LowCardinality(String),
    ours Nullable(Decimal(38, 12)),
    theirs Nullable(Decimal(38, 12)),
    difference Decimal(38, 12),
    difference_base Nullable(Decimal(38, 9)),
    state LowCardinality(String),
    cause LowCardinality(String),
    note String,
    evidence Array(String),
    pass LowCardinality(String),
    author String,
    event_at DateTime64(6, 'UTC')
)
engine = ReplacingMergeTree
order by (venue, account, session, break_id, sequence, event_id)
settings non_replicated_deduplication_window = 1000;

-- Grain: one break as it stands now. The highest sequence wins; two writers of one sequence are told apart by time, then id.
create view if not exists core.breaks as
select
    break_id, venue, account, session, kind, instrument_id, conid, symbol, underlying, currency, item_key, unit, ours,
    theirs, difference, difference_base, state, cause, note, evidence, pass, author, first_seen_at, event_at, sequence
from
(
    select *, min(event_at) over (partition by break_id) as first_seen_at
    from core.break_events final
    order by sequence desc, event_at desc, event_id desc
    limit 1 by break_id
);

-- Grain: the newest word on one session of one account: awaiting_statement, provisional, reconciled or broken.
create table if not exists core.sign_off_versions
(
    venue LowCardinality(String),
    account LowCardinality(String),
    session Date,
    state LowCardinality(String),
    pass LowCardinality(String),
    run_id String,
    statement_sha256 String,
    breaks_open UInt32,
    breaks_explained UInt32,
    largest_open_base Nullable(Decimal(38, 9)),
    author String,
    version UInt64,
    decided_at DateTime64(6, 'UTC')
)
engine = ReplacingMergeTree(version)
order by (venue, account, session)
settings non_replicated_deduplication_window = 1000;

create view if not exists core.sign_offs as
select
    venue, account, session, state, pass, run_id, statement_sha256, breaks_open, breaks_explained, largest_open_base,
    author, version, decided_at
from core.sign_off_versions final;

-- Grain: one event (set or lifted) of one lock. A lock belongs to the break that set it; what it refuses is its scope.
create table if not exists core.lock_events
(
    venue LowCardinality(String),
    account LowCardinality(String),
    lock_id String,
    sequence UInt32,
    action LowCardinality(String),
    scope LowCardinality(String),
    scope_key String,
    session Date,
    break_id String,
    size_base Nullable(Decimal(38, 9)),
    reason String,
    author String,
    event_at DateTime64(6, 'UTC')
)
engine = ReplacingMergeTree
order by (venue, account, lock_id, sequence, action)
settings non_replicated_deduplication_window = 1000;

-- Grain: one lock as it stands now; active tells whether entries are refused in its scope.
create view if not exists core.locks as
select
    lock_id, venue, account, scope, scope_key, session, break_id, size_base, reason, author, action = 'set' as active,
    set_at, event_at, sequence
from
(
    select *, min(event_at) over (partition by lock_id) as set_at
    from core.lock_events final
    order by sequence desc, event_at desc, action
    limit 1 by lock_id
);
