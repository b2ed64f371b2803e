-- Grain: one attempt to store one batch of fills; those of the market stand beside them, and are left out.
with batches as (

    select * from {{ source('audit', 'ingestion_batches') }}

)

select
    recorded_at,
    venue,
    toString(source) as source,
    origin,
    batch_id,
    attempt_id,
    total_rows,
    new_rows,
    duplicates_filtered,
    corrected,
    rejected,
    new_fees,
    first_fill_at,
    last_fill_at,
    age_seconds,
    received_at
from batches
where source != 'market'
