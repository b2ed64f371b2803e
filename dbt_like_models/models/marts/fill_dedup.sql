-- Grain: venue, source, origin (the file or endpoint): what was told, what of it was new, and what was known already.
{{ config(materialized='view') }}

with batches as (

    select * from {{ ref('stg_ingestion_batches') }}

)

select
    venue,
    source,
    origin,
    count() as attempts,
    sum(batches.total_rows) as total_rows,
    sum(batches.new_rows) as new_rows,
    sum(batches.duplicates_filtered) as duplicates_filtered,
    sum(batches.corrected) as corrected,
    sum(batches.rejected) as rejected,
    min(batches.first_fill_at) as first_fill_at,
    max(batches.last_fill_at) as last_fill_at,
    max(batches.recorded_at) as last_recorded_at,
    if(sum(batches.total_rows) = 0, null, sum(batches.duplicates_filtered) / sum(batches.total_rows)) as duplicate_share
from batches
group by venue, source, origin
