-- Which fills were corrected or taken back, with every version that was ever told, oldest first?
select venue, account, session, fill_id, version_number, versions, source, kind, side, quantity, price, fill_ts,
    is_current, is_busted
from marts.fill_revision_history
where was_corrected or is_busted
order by venue, account, fill_id, version_number
