-- Grain: one version of one fill, with its place among the versions and whether it is the one that counts. Nothing that
-- a venue ever told is missing here.
{{ config(materialized='view') }}

with revisions as (

    select * from {{ ref('stg_fill_revisions') }}

),

fills as (

    select venue, account, fill_id, revision, source, busted from {{ ref('stg_fills') }}

),

placed as (

    select
        *,
        row_number() over (
            partition by venue, account, fill_id order by revision, received_at, content_hash
        ) as version_number,
        count() over (partition by venue, account, fill_id) as versions,
        uniqExact(quantity, price, fill_ts) over (partition by venue, account, fill_id) > 1 as was_corrected
    from revisions

)

select
    placed.venue as venue,
    placed.account as account,
    placed.session as session,
    placed.fill_id as fill_id,
    placed.version_number as version_number,
    placed.versions as versions,
    placed.revision as revision,
    placed.source as source,
    placed.content_hash as content_hash,
    placed.kind as kind,
    placed.instrument_id as instrument_id,
    placed.side as side,
    placed.quantity as quantity,
    placed.price as price,
    placed.currency as currency,
    placed.cancels_trade_id as cancels_trade_id,
    placed.fill_ts as fill_ts,
    placed.received_at as received_at,
    placed.was_corrected as was_corrected,
    fills.fill_id != '' and placed.revision = fills.revision and placed.source = fills.source as is_current,
    fills.busted as is_busted
from placed
left join fills
    on placed.venue = fills.venue and placed.account = fills.account and placed.fill_id = fills.fill_id
