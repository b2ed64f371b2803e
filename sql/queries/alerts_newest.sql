-- The newest alerts since a moment, newest first, with what became of them.
select
    level, concat(toString(entry_ms), '-', toString(entry_seq)) as alert_id, raised_at as at, code, text, component, market_at,
    resolved_at, resolved_by, kind, identity
from audit.alerts
where raised_at >= {since:DateTime64(6)}
order by raised_at desc, entry_seq desc, identity desc
limit {most:UInt32}
