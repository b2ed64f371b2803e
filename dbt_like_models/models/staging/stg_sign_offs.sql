-- Grain: the newest word on one session of one account.
with sign_offs as (

    select * from {{ source('core', 'sign_offs') }}

)

select
    venue,
    account,
    session,
    state,
    pass,
    run_id,
    statement_sha256,
    breaks_open,
    breaks_explained,
    largest_open_base,
    author,
    decided_at
from sign_offs
