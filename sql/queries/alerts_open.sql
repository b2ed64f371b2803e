-- Conditions that nobody ended, newest first.
select
    level, concat(toString(entry_ms), '-', toString(entry_seq)) as alert_id, raised_at as at, code, text, component, market_at,
    resolved_at, resolved_by, kind, identity
from audit.alerts
where kind = 'condition' and resolved_at is null
order by raised_at desc, entry_seq desc, identity desc
limit {most:UInt32}
