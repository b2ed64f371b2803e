-- What the broker session heard, as it drained, and the views that read it. One table takes one insert per batch, so that
-- one insert is what happens once; everything else is a view on it and cannot lag or disagree.

-- Grain: one entry of an outbox stream; (stream, entry_ms, entry_seq) is the stream's own id, epoch a life of the stream.
-- A repeat is the same row: a merge removes it, and readers say final. kind 'unreadable' is an entry that was no event.
-- Order: readers ask for one kind, then for the newest; the numbers of a stream's life are read whole.
create table if not exists audit.outbox_entries
(
    stream LowCardinality(String),
    kind LowCardinality(String),
    entry_ms UInt64,
    entry_seq UInt64,
    epoch LowCardinality(String),
    sequence UInt64, -- 1, 2, 3 … of the epoch; 0 where an unreadable entry has none
    account LowCardinality(String),
    heard_at DateTime64(6, 'UTC'), -- this machine's clock
    broker_at Nullable(DateTime64(6, 'UTC')),
    payload String codec(ZSTD(3)), -- JSON; what stands in it is said at BrokerEventKind
    received_at DateTime64(6, 'UTC'),
    drained_at DateTime64(6, 'UTC') default now64(6, 'UTC'),
    -- The places of a message's fields are those of the wire: execution (11) and commission report (59).
    message_type LowCardinality(String) materialized if(kind = 'message', JSONExtractString(payload, 'fields', 1), ''),
    exec_id String materialized trim(multiIf(
        message_type = '11', JSONExtractString(payload, 'fields', 15),
        message_type = '59', JSONExtractString(payload, 'fields', 3), '')),
    security_type LowCardinality(String) materialized if(message_type = '11', JSONExtractString(payload, 'fields', 6), ''),
    question LowCardinality(String) materialized if(kind = 'answer', JSONExtractString(payload, 'question'), ''),
    completeness LowCardinality(String) materialized if(kind = 'answer', JSONExtractString(payload, 'completeness'), ''),
    -- Whom an answer is about: the accounts that were asked, and those that its rows name.
    accounts Array(LowCardinality(String)) materialized if(kind = 'answer', arrayDistinct(arrayConcat(
        JSONExtract(payload, 'accounts', 'Array(String)'),
        arrayMap(line -> JSONExtractString(line, 'account'), arrayFilter(line -> JSONType(line) = 'Object', JSONExtractArrayRaw(payload, 'rows'))))), []),
    index by_exec_id exec_id type bloom_filter(0.01) granularity 1
)
engine = ReplacingMergeTree
partition by toYYYYMM(heard_at)
order by (stream, kind, entry_ms, entry_seq, epoch)
settings non_replicated_deduplication_window = 1000;

-- Grain: one word on an order: an event, an error, or one row of an answer about open or completed orders (told_by).
create or replace view core.order_events as
with told as (
    select stream, epoch, entry_ms, entry_seq, toUInt32(0) as place, heard_at, broker_at, account, toString(kind) as told_by, payload as line
    from audit.outbox_entries final
    where kind in ('order', 'order_error')
    union all
    select stream, epoch, entry_ms, entry_seq, toUInt32(place) as place, heard_at, broker_at, account, toString(question) as told_by, line
    from audit.outbox_entries final
    array join JSONExtractArrayRaw(payload, 'rows') as line, arrayEnumerate(JSONExtractArrayRaw(payload, 'rows')) as place
    where kind = 'answer' and question in ('open_orders', 'completed_orders') and JSONType(line) = 'Object'
)
select
    t.stream as stream,
    t.epoch as epoch,
    t.entry_ms as entry_ms,
    t.entry_seq as entry_seq,
    t.place as place,
    t.heard_at as heard_at,
    t.broker_at as broker_at,
    t.told_by as told_by,
    if(JSONExtractString(t.line, 'account') != '', JSONExtractString(t.line, 'account'), toString(t.account)) as account,
    JSONExtractString(t.line, 'order_ref') as order_ref,
    JSONExtractString(t.line, 'perm_id') as perm_id,
    JSONExtractInt(t.line, 'client_id') as client_id,
    JSONExtractInt(t.line, 'order_id') as order_id,
    JSONExtractString(t.line, 'parent_perm_id') as parent_perm_id,
    JSONExtractInt(t.line, 'conid') as conid,
    JSONExtractString(t.line, 'instrument_id') as instrument_id,
    JSONExtractString(t.line, 'symbol') as symbol,
    JSONExtractString(t.line, 'side') as side,
    JSONExtractString(t.line, 'order_type') as order_type,
    toDecimal128OrNull(JSONExtractString(t.line, 'quantity'), 12) as quantity,
    toDecimal128OrNull(JSONExtractString(t.line, 'limit_price'), 12) as limit_price,
    toDecimal128OrNull(JSONExtractString(t.line, 'stop_price'), 12) as stop_price,
    JSONExtractString(t.line, 'time_in_force') as time_in_force,
    JSONExtractString(t.line, 'oca_group') as oca_group,
    JSONExtractInt(t.line, 'oca_type') as oca_type,
    JSONExtractString(t.line, 'status') as status,
    toDecimal128OrNull(JSONExtractString(t.line, 'filled'), 12) as filled,
    toDecimal128OrNull(JSONExtractString(t.line, 'remaining'), 12) as remaining,
    toDecimal128OrNull(JSONExtractString(t.line, 'average_price'), 12) as average_price,
    JSONExtractString(t.line, 'why_held') as why_held,
    if(t.told_by = 'order_error', toInt32(JSONExtractInt(t.line, 'code')), null) as error_code,
    if(t.told_by = 'order_error', JSONExtractString(t.line, 'text'), '') as error_text
from told as t;

-- Grain: one word on an order as text: an event, or one row of an answer about open or completed orders (told_by).
create or replace view core.order_lines as
with told as (
    select entry_ms, entry_seq, toUInt32(0) as place, heard_at, broker_at, account, toString(kind) as told_by, payload as line
    from audit.outbox_entries final
    where kind = 'order'
    union all
    select entry_ms, entry_seq, toUInt32(place) as place, heard_at, broker_at, account, toString(question) as told_by, line
    from audit.outbox_entries final
    array join JSONExtractArrayRaw(payload, 'rows') as line, arrayEnumerate(JSONExtractArrayRaw(payload, 'rows')) as place
    where kind = 'answer' and question in ('open_orders', 'completed_orders') and JSONType(line) = 'Object'
)
select
    t.entry_ms as entry_ms,
    t.entry_seq as entry_seq,
    t.place as place,
    t.heard_at as heard_at,
    t.broker_at as broker_at,
    t.told_by as told_by,
    if(JSONExtractString(t.line, 'account') != '', JSONExtractString(t.line, 'account'), toString(t.account)) as account,
    JSONExtractString(t.line, 'order_ref') as order_ref,
    JSONExtractString(t.line, 'perm_id') as perm_id,
    t.line as line
from told as t;

-- Grain: one order (account, order_ref, perm_id) as it was last told. The API's number of an order is no key: a restart of
-- the gateway gives it again. An order that had no perm_id yet is the one of its order_ref that has one now.
create or replace view core.orders_live as
with states as (
    -- The newest word is picked as text, and only that is taken apart: there are many words on few orders.
    select
        n.account as account,
        n.order_ref as order_ref,
        n.perm_id as perm_id,
        argMax(tuple(n.line, n.told_by, n.broker_at), (n.entry_ms, n.entry_seq, n.place)) as last,
        min(n.heard_at) as first_heard_at,
        max(n.heard_at) as last_heard_at,
        count() as events
    from core.order_lines as n
    group by account, order_ref, perm_id
),
numbered as (
    select distinct account, order_ref
    from states
    where perm_id != '' and order_ref != ''
)
select
    s.account as account,
    s.order_ref as order_ref,
    s.perm_id as perm_id,
    JSONExtractInt(s.last.1, 'client_id') as client_id,
    JSONExtractInt(s.last.1, 'order_id') as order_id,
    JSONExtractString(s.last.1, 'parent_perm_id') as parent_perm_id,
    JSONExtractInt(s.last.1, 'conid') as conid,
    JSONExtractString(s.last.1, 'instrument_id') as instrument_id,
    JSONExtractString(s.last.1, 'symbol') as symbol,
    JSONExtractString(s.last.1, 'side') as side,
    JSONExtractString(s.last.1, 'order_type') as order_type,
    toDecimal128OrNull(JSONExtractString(s.last.1, 'quantity'), 12) as quantity,
    toDecimal128OrNull(JSONExtractString(s.last.1, 'limit_price'), 12) as limit_price,
    toDecimal128OrNull(JSONExtractString(s.last.1, 'stop_price'), 12) as stop_price,
    JSONExtractString(s.last.1, 'time_in_force') as time_in_force,
    JSONExtractString(s.last.1, 'oca_group') as oca_group,
    JSONExtractInt(s.last.1, 'oca_type') as oca_type,
    JSONExtractString(s.last.1, 'status') as status,
    status in ('ApiPending', 'PendingSubmit', 'PreSubmitted', 'Submitted', 'PendingCancel') as is_working,
    toDecimal128OrNull(JSONExtractString(s.last.1, 'filled'), 12) as filled,
    toDecimal128OrNull(JSONExtractString(s.last.1, 'remaining'), 12) as remaining,
    toDecimal128OrNull(JSONExtractString(s.last.1, 'average_price'), 12) as average_price,
    JSONExtractString(s.last.1, 'why_held') as why_held,
    s.last.2 as told_by,
    s.last.3 as broker_at,
    s.first_heard_at as first_heard_at,
    s.last_heard_at as last_heard_at,
    s.events as events
from states as s
where s.perm_id != '' or (s.account, s.order_ref) not in (select account, order_ref from numbered);

-- Grain: one figure of an account as it was told once; an event, or a row of an answer. value is the broker's text.
create or replace view core.account_values as
with told as (
    select stream, epoch, entry_ms, entry_seq, toUInt32(0) as place, heard_at, broker_at, account, payload as line
    from audit.outbox_entries final
    where kind = 'account_value'
    union all
    select stream, epoch, entry_ms, entry_seq, toUInt32(place) as place, heard_at, broker_at, account, line
    from audit.outbox_entries final
    array join JSONExtractArrayRaw(payload, 'rows') as line, arrayEnumerate(JSONExtractArrayRaw(payload, 'rows')) as place
    where kind = 'answer' and question = 'account_values' and JSONType(line) = 'Object'
)
select
    t.stream as stream,
    t.epoch as epoch,
    t.entry_ms as entry_ms,
    t.entry_seq as entry_seq,
    t.place as place,
    t.heard_at as heard_at,
    t.broker_at as broker_at,
    if(JSONExtractString(t.line, 'account') != '', JSONExtractString(t.line, 'account'), toString(t.account)) as account,
    JSONExtractString(t.line, 'name') as name,
    JSONExtractString(t.line, 'currency') as currency,
    JSONExtractString(t.line, 'value') as value,
    toDecimal128OrNull(value, 9) as amount -- null where the figure is no number
from told as t;

-- Grain: one figure of one account (account, name, currency) as it was last told.
create or replace view core.account_values_latest as
select
    v.account as account,
    v.name as name,
    v.currency as currency,
    argMax(v.value, (v.entry_ms, v.entry_seq, v.place)) as value,
    argMax(tuple(v.amount), (v.entry_ms, v.entry_seq, v.place)).1 as amount,
    argMax(tuple(v.broker_at), (v.entry_ms, v.entry_seq, v.place)).1 as broker_at,
    max(v.heard_at) as heard_at
from core.account_values as v
group by account, name, currency;

-- Grain: one answer to a question, as it ended: complete, partial or failed. Only a complete one says what is not there.
create or replace view audit.broker_answers as
select
    e.stream as stream,
    e.epoch as epoch,
    e.entry_ms as entry_ms,
    e.entry_seq as entry_seq,
    e.heard_at as heard_at,
    e.broker_at as broker_at,
    e.question as question,
    e.completeness as completeness,
    e.accounts as accounts,
    if(JSONHas(e.payload, 'count'), JSONExtractUInt(e.payload, 'count'), JSONLength(e.payload, 'rows')) as rows_told, -- of executions only the count is told
    coalesce(parseDateTime64BestEffortOrNull(JSONExtractString(e.payload, 'asked_at'), 6, 'UTC'), e.heard_at) as asked_at,
    parseDateTime64BestEffortOrNull(JSONExtractString(e.payload, 'from_at'), 6, 'UTC') as from_at,
    parseDateTime64BestEffortOrNull(JSONExtractString(e.payload, 'to_at'), 6, 'UTC') as to_at,
    JSONExtractString(e.payload, 'reason') as reason,
    e.payload as payload
from audit.outbox_entries as e final
where e.kind = 'answer';

-- Grain: one account in one answer about positions; an account that holds nothing has positions = 0 here and no row below.
create or replace view core.broker_position_answers as
select
    a.stream as stream, a.epoch as epoch, a.entry_ms as entry_ms, a.entry_seq as entry_seq, a.heard_at as heard_at,
    a.asked_at as asked_at, a.broker_at as broker_at, a.completeness as completeness, a.reason as reason, account,
    arrayCount(line -> JSONExtractString(line, 'account') = account, JSONExtractArrayRaw(a.payload, 'rows')) as positions
from audit.broker_answers as a
array join a.accounts as account
where a.question = 'positions';

-- Grain: one position in one answer. average_cost contains fees and the multiplier, as the broker says it.
create or replace view core.broker_positions as
select
    a.stream as stream, a.epoch as epoch, a.entry_ms as entry_ms, a.entry_seq as entry_seq, a.heard_at as heard_at,
    a.asked_at as asked_at, a.broker_at as broker_at, a.completeness as completeness,
    JSONExtractString(line, 'account') as account,
    JSONExtractInt(line, 'conid') as conid,
    JSONExtractString(line, 'instrument_id') as instrument_id,
    JSONExtractString(line, 'symbol') as symbol,
    toDecimal128OrNull(JSONExtractString(line, 'quantity'), 12) as quantity,
    toDecimal128OrNull(JSONExtractString(line, 'average_cost'), 12) as average_cost
from audit.broker_answers as a
array join JSONExtractArrayRaw(a.payload, 'rows') as line
where a.question = 'positions';

-- Grain: one position of an account in its newest complete answer; an account that is flat has no row.
create or replace view core.broker_positions_latest as
with newest as (
    select account, max((entry_ms, entry_seq, stream)) as place
    from audit.outbox_entries
    array join accounts as account
    where kind = 'answer' and question = 'positions' and completeness = 'complete'
    group by account
)
select p.*
from core.broker_positions as p
where (p.account, (p.entry_ms, p.entry_seq, p.stream)) in (select toString(account), place from newest)
    and p.entry_ms in (select place.1 from newest);

-- Grain: one thing that happened to the connection, to a command, or that a person must see.
create or replace view audit.broker_events as
select
    e.stream as stream, e.epoch as epoch, e.entry_ms as entry_ms, e.entry_seq as entry_seq, e.heard_at as heard_at,
    e.broker_at as broker_at, e.kind as kind, e.account as account,
    JSONExtractString(e.payload, 'state') as state,
    JSONExtractString(e.payload, 'command_id') as command_id,
    JSONExtractString(e.payload, 'verb') as verb,
    JSONExtractString(e.payload, 'outcome') as outcome,
    if(JSONType(e.payload, 'code') = 'String', JSONExtractString(e.payload, 'code'), JSONExtractRaw(e.payload, 'code')) as code,
    if(JSONExtractString(e.payload, 'text') != '', JSONExtractString(e.payload, 'text'), JSONExtractString(e.payload, 'reason')) as text,
    e.payload as payload
from audit.outbox_entries as e final
where e.kind in ('link', 'command', 'alert', 'unreadable');

-- Grain: one reading of the broker's clock; skew is the broker's time less ours.
create or replace view audit.broker_clock as
select a.heard_at as heard_at, a.broker_at as broker_at, JSONExtractFloat(a.payload, 'skew_ms') as skew_ms, a.completeness as completeness
from audit.broker_answers as a
where a.question = 'clock';

-- Grain: one fault in the numbers of one life of a stream: a run of missing sequences, or a sequence that two entries carry
-- (the server lost what it had acknowledged, and gave the number again). Must be empty.
create or replace view audit.outbox_gaps as
with faulty as (
    select stream, epoch
    from audit.outbox_entries final
    where sequence > 0
    group by stream, epoch
    having uniqExact(sequence) != max(sequence) or count() != max(sequence)
),
numbered as (
    select stream, epoch, sequence, min((entry_ms, entry_seq)) != max((entry_ms, entry_seq)) as is_reused, min(heard_at) as heard_at
    from audit.outbox_entries
    where sequence > 0 and (stream, epoch) in (select stream, epoch from faulty)
    group by stream, epoch, sequence
),
followed as (
    select *, lagInFrame(sequence, 1, 0) over (partition by stream, epoch order by sequence rows between unbounded preceding and current row) as before
    from numbered
)
select stream, epoch, 'missing' as fault, before + 1 as from_sequence, sequence - 1 as to_sequence, heard_at
from followed
where sequence > before + 1
union all
select stream, epoch, 'reused' as fault, sequence as from_sequence, sequence as to_sequence, heard_at
from numbered
where is_reused;

-- Grain: one wording of a commission report whose fee is not stored, since no execution of ours has its id yet. A
-- combination's own report waits for nothing: its legs carry the fees.
create or replace view audit.commissions_waiting as
select e.stream as stream, e.exec_id as exec_id, e.payload as payload, min(e.received_at) as received_at
from audit.outbox_entries as e
where e.kind = 'message' and e.message_type = '59'
    -- Fees heard live have no session: of all fees only theirs are read.
    and e.exec_id not in (select commission_key from core.commission_facts where venue = 'ibkr' and session = toDate('1970-01-01'))
    and e.exec_id not in (select exec_id from audit.outbox_entries where kind = 'message' and security_type = 'BAG')
group by stream, exec_id, payload;
