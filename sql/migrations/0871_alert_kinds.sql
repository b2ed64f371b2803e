-- Which alerts have an end: an event is said once, a condition is open until its end is written.

alter table audit.alert_entries add column if not exists kind LowCardinality(String) comment 'event or condition; empty of what is resolved, and of what was raised before there was a difference.' after level;

-- Grain: one alert as it was raised first, in the words that it was told in last, and what resolved it. resolved_at is null while a condition is
-- open, and of events, which have no end.
create or replace view audit.alerts as
select
    e.identity as identity,
    argMinIf(e.level, (e.entry_ms, e.entry_seq), e.word = 'raised') as level,
    argMinIf(e.kind, (e.entry_ms, e.entry_seq), e.word = 'raised') as kind,
    argMinIf(e.code, (e.entry_ms, e.entry_seq), e.word = 'raised') as code,
    argMaxIf(e.text, (e.entry_ms, e.entry_seq), e.word = 'raised') as text,
    argMinIf(e.component, (e.entry_ms, e.entry_seq), e.word = 'raised') as component,
    minIf(e.at, e.word = 'raised') as raised_at,
    minIf(e.market_at, e.word = 'raised') as market_at,
    if(countIf(e.word = 'resolved') = 0, null, greatest(minIf(e.at, e.word = 'resolved'), minIf(e.at, e.word = 'raised'))) as resolved_at,
    argMinIf(e.text, (e.entry_ms, e.entry_seq), e.word = 'resolved') as resolved_by,
    minIf(e.entry_ms, e.word = 'raised') as entry_ms,
    argMinIf(e.entry_seq, (e.entry_ms, e.entry_seq), e.word = 'raised') as entry_seq,
    min(e.stored_at) as stored_at
from audit.alert_entries as e
group by e.identity
having countIf(e.word = 'raised') > 0;
