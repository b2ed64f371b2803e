-- Which sessions' P&L was restated, when, and from what to what? Every run's figures are kept, so each computation is shown
-- beside the one before it; a run that came to the same figure is no restatement. is_current marks the figure that counts.
with runs as (
    select venue, account, session, run_id, currency, sum(versions.realized) as realized,
        min(versions.computed_at) as computed_at
    from core.pnl_daily_versions as versions final
    group by venue, account, session, run_id, currency
),
followed as (
    select *,
        lagInFrame(toNullable(realized)) over (
            partition by venue, account, session, currency order by computed_at, run_id
            rows between unbounded preceding and unbounded following
        ) as before
    from runs
)
select venue, account, session, currency, before as realized_before, realized as realized_after,
    realized - before as restated_by, computed_at as restated_at, run_id,
    (venue, account, session, run_id) in (select venue, account, session, run_id from core.current_pnl_runs) as is_current
from followed
where before is not null and before != realized
order by restated_at, venue, account, session, currency
