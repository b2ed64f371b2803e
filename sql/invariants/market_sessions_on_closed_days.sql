-- A session of the market is no Saturday and no Sunday.
select distinct 'quotes' as kind, session from core.quote_minute_rows where toDayOfWeek(session) > 5
union all
select distinct 'trades' as kind, session from core.trade_minute_rows where toDayOfWeek(session) > 5
union all
select distinct 'bars' as kind, session from core.bar_rows where toDayOfWeek(session) > 5
union all
select distinct 'chains' as kind, session from core.chain_rows where toDayOfWeek(session) > 5
limit 100
