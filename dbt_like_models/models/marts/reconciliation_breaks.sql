-- Grain: one break as it stands, beside the standing of its session.
{{ config(engine='MergeTree', order_by='(venue, account, session, break_id)') }}

with breaks as (

    select * from {{ ref('stg_breaks') }}

),

sign_offs as (

    select venue, account, session, state as standing from {{ ref('stg_sign_offs') }}

)

select
    breaks.venue as venue,
    breaks.account as account,
    breaks.session as session,
    breaks.break_id as break_id,
    breaks.kind as kind,
    breaks.instrument_id as instrument_id,
    breaks.conid as conid,
    breaks.symbol as symbol,
    breaks.currency as currency,
    breaks.item_key as item_key,
    breaks.unit as unit,
    breaks.ours as ours,
    breaks.theirs as theirs,
    breaks.difference as difference,
    breaks.difference_base as difference_base,
    breaks.state as state,
    breaks.cause as cause,
    breaks.note as note,
    breaks.pass as pass,
    breaks.first_seen_at as first_seen_at,
    breaks.event_at as last_event_at,
    if(sign_offs.standing = '', 'not_reconciled', sign_offs.standing) as standing
from breaks
left join sign_offs
    on breaks.venue = sign_offs.venue and breaks.account = sign_offs.account and breaks.session = sign_offs.session
