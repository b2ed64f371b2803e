-- The newest complete answers about positions by account, heard since a moment; the rows of an answer as it told them, of
-- this account. Reads the answers since then only: the key leads to them. A repeat of an entry is the same row.
-- Those stored after `stored_by` are left out: the fills that were drained with them may not be there yet.
with answers as (
    select
        stream, entry_ms, entry_seq, heard_at, broker_at,
        coalesce(parseDateTime64BestEffortOrNull(JSONExtractString(payload, 'asked_at'), 6, 'UTC'), heard_at) as asked_at,
        JSONExtract(payload, 'accounts', 'Array(String)') as accounts,
        JSONExtractArrayRaw(payload, 'rows') as lines
    from audit.outbox_entries
    where kind = 'answer' and question = 'positions' and completeness = 'complete'
        and heard_at >= {since:DateTime64(6, 'UTC')}
        and entry_ms >= toUnixTimestamp64Milli({since:DateTime64(6, 'UTC')})
        and received_at <= {stored_by:DateTime64(6, 'UTC')}
    limit 1 by stream, entry_ms, entry_seq
)
select
    account,
    a.asked_at as asked_at,
    coalesce(a.broker_at, a.asked_at) as broker_at,
    arrayFilter(line -> JSONExtractString(line, 'account') = account, a.lines) as lines
from answers as a
array join arrayDistinct(
    arrayConcat(a.accounts, arrayMap(line -> JSONExtractString(line, 'account'), a.lines))
) as account
where account != ''
order by account, a.entry_ms desc, a.entry_seq desc
limit {most:UInt32} by account
