-- Which differences from the broker stand open, how large, and for how many days? Oldest first.
select venue, account, session, kind, instrument_id, item_key, ours, theirs, difference, unit, difference_base,
    dateDiff('day', first_seen_at, now()) as age_days, note, standing
from marts.reconciliation_breaks
where state = 'open'
order by first_seen_at, venue, account, session, kind
