-- Words on orders are taken out of the drained entries in one place; both views of 0700 read it and say what they said.

-- Grain: one word on an order as text: an event, an error, or one row of an answer about open or completed orders (told_by).
-- account is the word's own where it names one, else its entry's.
create or replace view core.order_words as
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
    t.stream as stream, t.epoch as epoch, t.entry_ms as entry_ms, t.entry_seq as entry_seq, t.place as place,
    t.heard_at as heard_at, t.broker_at as broker_at, t.told_by as told_by,
    if(JSONExtractString(t.line, 'account') != '', JSONExtractString(t.line, 'account'), toString(t.account)) as account,
    t.line as line
from told as t;

-- Grain: one word on an order, taken apart.
create or replace view core.order_events as
select
    t.stream as stream,
    t.epoch as epoch,
    t.entry_ms as entry_ms,
    t.entry_seq as entry_seq,
    t.place as place,
    t.heard_at as heard_at,
    t.broker_at as broker_at,
    t.told_by as told_by,
    t.account as account,
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
from core.order_words as t;
-- Grain: one word on an order that is no error, as text.
create or replace view core.order_lines as
select
    t.entry_ms as entry_ms,
    t.entry_seq as entry_seq,
    t.place as place,
    t.heard_at as heard_at,
    t.broker_at as broker_at,
    t.told_by as told_by,
    t.account as account,
    JSONExtractString(t.line, 'order_ref') as order_ref,
    JSONExtractString(t.line, 'perm_id') as perm_id,
    t.line as line
from core.order_words as t
where t.told_by != 'order_error';
