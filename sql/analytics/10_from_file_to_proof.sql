-- The funnel of the books, by month: sessions with fills, with P&L, with a broker's word, reconciled, and broken.
with traded as (
    select venue, account, session, count() as fills from core.fills group by venue, account, session
),
computed as (
    select distinct venue, account, session, 1 as is_computed from core.pnl_daily
),
words as (
    select venue, account, session, state from core.sign_offs
)
select
    toStartOfMonth(traded.session) as month,
    sum(traded.fills) as fills,
    count() as account_sessions,
    countIf(computed.is_computed = 1) as with_pnl,
    countIf(words.state in ('provisional', 'reconciled', 'broken')) as with_a_brokers_word,
    countIf(words.state = 'reconciled') as reconciled,
    countIf(words.state = 'broken') as broken
from traded
left join computed using (venue, account, session)
left join words using (venue, account, session)
group by month
order by month
