-- Grain: one version of one fill as one source told it; physical repeats before a merge are folded.
with revisions as (

    select * from {{ source('core', 'fill_revisions') }} final

)

select
    venue,
    account,
    session,
    fill_id,
    revision,
    toString(source) as source,
    toString(content_hash) as content_hash,
    kind,
    instrument_id,
    side,
    quantity,
    price,
    currency,
    trade_id,
    transaction_id,
    cancels_trade_id,
    fill_ts,
    batch_id,
    received_at,
    ingested_at
from revisions
