-- What no source has told completely between two moments, by account: the rest of the interval less all that is covered.
with asked as (
    select arrayJoin({accounts:Array(String)}) as account
),
covered as (
    select
        account,
        greatest(start_at, {start:DateTime64(6, 'UTC')}) as from_at,
        least(end_at, {end:DateTime64(6, 'UTC')}) as to_at
    from core.coverage
    where venue = {venue:String} and account in (select account from asked) and source in {sources:Array(String)}
        and end_at > {start:DateTime64(6, 'UTC')} and start_at < {end:DateTime64(6, 'UTC')}
    union all
    select account, {start:DateTime64(6, 'UTC')} as from_at, {start:DateTime64(6, 'UTC')} as to_at from asked
    union all
    select account, {end:DateTime64(6, 'UTC')} as from_at, {end:DateTime64(6, 'UTC')} as to_at from asked
),
followed as (
    select
        account, from_at, row_number() over (partition by account order by from_at, to_at) as place,
        max(to_at) over (partition by account order by from_at, to_at rows between unbounded preceding and 1 preceding) as covered_to
    from covered
)
select account, covered_to as start, from_at as end
from followed
where place > 1 and from_at > covered_to
order by account, start
