-- Grain: one break as it stands now.
with breaks as (

    select * from {{ source('core', 'breaks') }}

)

select
    break_id,
    venue,
    account,
    session,
    kind,
    instrument_id,
    conid,
    symbol,
    underlying,
    currency,
    item_key,
    unit,
    ours,
    theirs,
    difference,
    difference_base,
    state,
    cause,
    note,
    evidence,
    pass,
    author,
    first_seen_at,
    event_at
from breaks
