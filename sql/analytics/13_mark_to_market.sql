-- What did each account make from one statement's marks to the next, net of fees and without deposits? The figure for limits:
-- what was closed since, and the change in what is held. A session in which something held has no mark is not a step.
with days as (
    select venue, account, currency, session, sum(pnl.realized) as realized, sum(pnl.unrealized) as unrealized,
        countIf(pnl.unrealized is null) = 0 as is_marked
    from core.pnl_daily as pnl
    group by venue, account, currency, session
),
running as (
    select venue, account, currency, session, unrealized, is_marked,
        sum(days.realized) over (
            partition by venue, account, currency order by session
            rows between unbounded preceding and current row
        ) as closed_so_far
    from days
),
marked as (
    select venue, account, currency, session, closed_so_far + assumeNotNull(unrealized) as made_so_far
    from running
    where is_marked
),
followed as (
    select *,
        lagInFrame(toNullable(made_so_far)) over steps as made_before,
        lagInFrame(toNullable(session)) over steps as since
    from marked
    window steps as (
        partition by venue, account, currency order by session
        rows between unbounded preceding and unbounded following
    )
)
select venue, account, currency, since, session, made_so_far - made_before as mark_to_market, made_so_far
from followed
where made_before is not null
order by venue, account, currency, session
