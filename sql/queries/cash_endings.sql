-- Cash of every account and currency at the end of each computed session.
select account, session, balance.1 as currency, balance.2 as ending
from
(
    select account, session, arrayJoin(mapKeys(cash)) as name, (name, cash[name]) as balance
    from core.current_pnl_runs
)
