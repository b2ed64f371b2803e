-- Most of what a minute cost was to look for rows that lie there twice (200,000 quotes: 50 of 110 ms, and by one thread alone), which
-- only writers leave that were taken for dead. So the minutes are computed from the rows as they lie, and each is asked whether its
-- rows are as many as their identities: where they are not, the statement that named them fails, and the writer names them again in
-- the tables `..._told_twice`, whose views take each row once. Nothing is stored of a minute that was refused, and a minute beside it
-- that was stored is right. Where the entries of two streams met in one minute, they could have equal identities: that fails, too, and
-- comes right by the same way.

alter table core.quote_minutes_computed modify query
select m.*
from (select count() as named from core.quote_minutes_touched) as t
cross join
(
    select
        q.symbol as symbol,
        q.instrument_id as instrument_id,
        q.minute as minute,
        if(two_sided = 0, null, toDecimal128(argMinIf(q.both, q.told, q.is_two_sided), 12) / 2) as open,
        if(two_sided = 0, null, toDecimal128(maxIf(q.both, q.is_two_sided), 12) / 2) as high,
        if(two_sided = 0, null, toDecimal128(minIf(q.both, q.is_two_sided), 12) / 2) as low,
        if(two_sided = 0, null, toDecimal128(argMaxIf(q.both, q.told, q.is_two_sided), 12) / 2) as close,
        toDecimal128(sumIf(q.spread, q.is_two_sided), 12) as spread_sum,
        toUInt32(count()) as quotes,
        toUInt32(countIf(q.is_two_sided)) as two_sided,
        toUInt32(countIf(q.is_two_sided and q.spread = 0)) as locked,
        toUInt32(countIf(q.is_two_sided and q.spread < 0)) as crossed,
        q.source as source,
        q.session as session,
        q.load_id as load_id
    from
    (
        select
            session, symbol, instrument_id, source, load_id, toStartOfMinute(at) as minute,
            bitShiftLeft(toUInt256(toUnixTimestamp64Micro(at)), 128) + bitShiftLeft(toUInt256(entry_ms), 64)
                + bitShiftLeft(toUInt64(entry_seq), 32) + place as told,
            bitShiftLeft(toUInt128(entry_ms), 64) + bitShiftLeft(toUInt64(entry_seq), 32) + place as identity,
            bid is not null and ask is not null as is_two_sided,
            assumeNotNull(bid) + assumeNotNull(ask) as both,
            assumeNotNull(ask) - assumeNotNull(bid) as spread
        from core.quote_rows
        where session in (select session from core.quote_minutes_touched)
            and load_id in (select load_id from core.quote_minutes_touched)
            and symbol in (select symbol from core.quote_minutes_touched)
            and at >= (select min(minute) from core.quote_minutes_touched)
            and at < (select max(minute) + interval 1 minute from core.quote_minutes_touched)
    ) as q
    group by symbol, instrument_id, minute, source, session, load_id
    having throwIf(uniqExact(q.identity) != count(), 'a row of the minute lies there twice') or (session, symbol, source, load_id, minute) in (
        select session, symbol, source, load_id, minute from core.quote_minutes_touched)
) as m;

alter table core.trade_minutes_computed modify query
select m.*
from (select count() as named from core.trade_minutes_touched) as t
cross join
(
    select
        q.symbol as symbol,
        q.instrument_id as instrument_id,
        q.minute as minute,
        argMin(q.price, q.told) as open,
        max(q.price) as high,
        min(q.price) as low,
        argMax(q.price, q.told) as close,
        toUInt32(count()) as trades,
        sum(q.shares) as volume,
        sum(q.value) as value,
        sumIf(q.shares, q.aggressor = 'buy') as buy_volume,
        sumIf(q.shares, q.aggressor = 'sell') as sell_volume,
        q.source as source,
        q.session as session,
        q.load_id as load_id
    from
    (
        select
            session, symbol, instrument_id, source, load_id, toStartOfMinute(at) as minute,
            bitShiftLeft(toUInt256(toUnixTimestamp64Micro(at)), 160) + bitShiftLeft(toUInt256(ordinal), 128)
                + bitShiftLeft(toUInt256(entry_ms), 64) + bitShiftLeft(toUInt64(entry_seq), 32) + place as told,
            bitShiftLeft(toUInt128(entry_ms), 64) + bitShiftLeft(toUInt64(entry_seq), 32) + place as identity,
            price, aggressor,
            toDecimal128(size, 12) as shares,
            toDecimal128(price * toDecimal128(size, 4), 12) as value
        from core.trade_rows
        where session in (select session from core.trade_minutes_touched)
            and load_id in (select load_id from core.trade_minutes_touched)
            and symbol in (select symbol from core.trade_minutes_touched)
            and at >= (select min(minute) from core.trade_minutes_touched)
            and at < (select max(minute) + interval 1 minute from core.trade_minutes_touched)
    ) as q
    group by symbol, instrument_id, minute, source, session, load_id
    having throwIf(uniqExact(q.identity) != count(), 'a row of the minute lies there twice') or (session, symbol, source, load_id, minute) in (
        select session, symbol, source, load_id, minute from core.trade_minutes_touched)
) as m;

-- Grain: one minute of one symbol whose rows changed and of which one lies there twice. Keeps nothing, as core.quote_minutes_touched.
create table if not exists core.quote_minutes_told_twice
(
    session Date,
    symbol LowCardinality(String),
    source LowCardinality(String),
    load_id UInt64,
    minute DateTime('UTC')
)
engine = Null;

create materialized view if not exists core.quote_minutes_computed_once to core.quote_minute_rows as
select m.*
from (select count() as named from core.quote_minutes_told_twice) as t
cross join
(
    select
        q.symbol as symbol,
        q.instrument_id as instrument_id,
        q.minute as minute,
        if(two_sided = 0, null, toDecimal128(argMinIf(q.both, q.told, q.is_two_sided), 12) / 2) as open,
        if(two_sided = 0, null, toDecimal128(maxIf(q.both, q.is_two_sided), 12) / 2) as high,
        if(two_sided = 0, null, toDecimal128(minIf(q.both, q.is_two_sided), 12) / 2) as low,
        if(two_sided = 0, null, toDecimal128(argMaxIf(q.both, q.told, q.is_two_sided), 12) / 2) as close,
        toDecimal128(sumIf(q.spread, q.is_two_sided), 12) as spread_sum,
        toUInt32(count()) as quotes,
        toUInt32(countIf(q.is_two_sided)) as two_sided,
        toUInt32(countIf(q.is_two_sided and q.spread = 0)) as locked,
        toUInt32(countIf(q.is_two_sided and q.spread < 0)) as crossed,
        q.source as source,
        q.session as session,
        q.load_id as load_id
    from
    (
        select
            session, symbol, instrument_id, source, load_id, toStartOfMinute(at) as minute,
            bitShiftLeft(toUInt256(toUnixTimestamp64Micro(at)), 128) + bitShiftLeft(toUInt256(entry_ms), 64)
                + bitShiftLeft(toUInt64(entry_seq), 32) + place as told,
            bid is not null and ask is not null as is_two_sided,
            assumeNotNull(bid) + assumeNotNull(ask) as both,
            assumeNotNull(ask) - assumeNotNull(bid) as spread
        from core.quote_rows
        where session in (select session from core.quote_minutes_told_twice)
            and load_id in (select load_id from core.quote_minutes_told_twice)
            and symbol in (select symbol from core.quote_minutes_told_twice)
            and at >= (select min(minute) from core.quote_minutes_told_twice)
            and at < (select max(minute) + interval 1 minute from core.quote_minutes_told_twice)
        limit 1 by load_id, stream, bitShiftLeft(toUInt128(entry_ms), 64) + bitShiftLeft(toUInt64(entry_seq), 32) + place
    ) as q
    group by symbol, instrument_id, minute, source, session, load_id
    having count() = 0 or (session, symbol, source, load_id, minute) in (
        select session, symbol, source, load_id, minute from core.quote_minutes_told_twice)
) as m;

-- Grain: one minute of one symbol whose rows changed and of which one lies there twice. Keeps nothing, as core.trade_minutes_touched.
create table if not exists core.trade_minutes_told_twice
(
    session Date,
    symbol LowCardinality(String),
    source LowCardinality(String),
    load_id UInt64,
    minute DateTime('UTC')
)
engine = Null;

create materialized view if not exists core.trade_minutes_computed_once to core.trade_minute_rows as
select m.*
from (select count() as named from core.trade_minutes_told_twice) as t
cross join
(
    select
        q.symbol as symbol,
        q.instrument_id as instrument_id,
        q.minute as minute,
        argMin(q.price, q.told) as open,
        max(q.price) as high,
        min(q.price) as low,
        argMax(q.price, q.told) as close,
        toUInt32(count()) as trades,
        sum(q.shares) as volume,
        sum(q.value) as value,
        sumIf(q.shares, q.aggressor = 'buy') as buy_volume,
        sumIf(q.shares, q.aggressor = 'sell') as sell_volume,
        q.source as source,
        q.session as session,
        q.load_id as load_id
    from
    (
        select
            session, symbol, instrument_id, source, load_id, toStartOfMinute(at) as minute,
            bitShiftLeft(toUInt256(toUnixTimestamp64Micro(at)), 160) + bitShiftLeft(toUInt256(ordinal), 128)
                + bitShiftLeft(toUInt256(entry_ms), 64) + bitShiftLeft(toUInt64(entry_seq), 32) + place as told,
            price, aggressor,
            toDecimal128(size, 12) as shares,
            toDecimal128(price * toDecimal128(size, 4), 12) as value
        from core.trade_rows
        where session in (select session from core.trade_minutes_told_twice)
            and load_id in (select load_id from core.trade_minutes_told_twice)
            and symbol in (select symbol from core.trade_minutes_told_twice)
            and at >= (select min(minute) from core.trade_minutes_told_twice)
            and at < (select max(minute) + interval 1 minute from core.trade_minutes_told_twice)
        limit 1 by load_id, stream, bitShiftLeft(toUInt128(entry_ms), 64) + bitShiftLeft(toUInt64(entry_seq), 32) + place
    ) as q
    group by symbol, instrument_id, minute, source, session, load_id
    having count() = 0 or (session, symbol, source, load_id, minute) in (
        select session, symbol, source, load_id, minute from core.trade_minutes_told_twice)
) as m;
