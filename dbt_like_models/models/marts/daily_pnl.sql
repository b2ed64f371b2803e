-- Grain: venue, account, session, instrument, strategy. The figures are the P&L engine's, each beside the standing of
-- its session: a figure of a session that is not reconciled is no claim.
{{
    config(
        materialized='incremental',
        incremental_strategy='insert_overwrite',
        partition_by='toYYYYMM(session)',
        engine='MergeTree',
        order_by='(venue, account, session, instrument_id, strategy)'
    )
}}

with pnl as (

    select * from {{ ref('stg_pnl_daily') }}
    where {{ within_sessions('session') }}

),

sign_offs as (

    select venue, account, session, state from {{ ref('stg_sign_offs') }}

)

select
    pnl.venue as venue,
    pnl.account as account,
    pnl.session as session,
    pnl.instrument_id as instrument_id,
    pnl.strategy as strategy,
    pnl.conid as conid,
    pnl.symbol as symbol,
    pnl.underlying as underlying,
    pnl.asset_class as asset_class,
    pnl.currency as currency,
    pnl.quantity_bought as quantity_bought,
    pnl.quantity_sold as quantity_sold,
    pnl.position_end as position_end,
    pnl.gross_realized as gross_realized,
    pnl.fees as fees,
    pnl.realized as realized,
    pnl.unrealized as unrealized,
    pnl.mark_price as mark_price,
    pnl.fx_rate_to_base as fx_rate_to_base,
    pnl.realized_base as realized_base,
    if(sign_offs.state = '', 'not_reconciled', sign_offs.state) as standing
from pnl
left join sign_offs
    on pnl.venue = sign_offs.venue and pnl.account = sign_offs.account and pnl.session = sign_offs.session
