-- The newest answer about positions by account, heard since a moment, whatever became of it. A failed one names no rows;
-- it is of the accounts that it was asked for.
select
    account,
    argMax(a.completeness, (a.entry_ms, a.entry_seq)) as completeness,
    argMax(a.reason, (a.entry_ms, a.entry_seq)) as reason,
    max(a.heard_at) as heard_at,
    countIf(a.completeness = 'complete') as complete_answers,
    count() as answers
from
(
    select entry_ms, entry_seq, heard_at, completeness, JSONExtractString(payload, 'reason') as reason,
        JSONExtract(payload, 'accounts', 'Array(String)') as accounts
    from audit.outbox_entries
    where kind = 'answer' and question = 'positions'
        and heard_at >= {since:DateTime64(6, 'UTC')}
        and entry_ms >= toUnixTimestamp64Milli({since:DateTime64(6, 'UTC')})
    limit 1 by stream, entry_ms, entry_seq
) as a
array join a.accounts as account
where account != ''
group by account
order by account
