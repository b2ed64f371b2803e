-- Every fill that any source told stands in the view; a booking told without a number may stand as the numbered one.
select distinct venue, account, fill_id
from core.fill_revisions
where kind != 'cancel' and (venue, account, fill_id) not in (select venue, account, fill_id from core.fills)
    and (
        exec_id != '' or transaction_id != '' or trade_id = ''
        or (venue, account, trade_id) not in (select venue, account, trade_id from core.fills where transaction_id != '')
    )
limit 100
