-- Whose are these executions? The fills that stand, whatever source told them.
select exec_id, min(account) as account
from core.fill_revisions
where venue = 'ibkr' and fill_id in {fill_ids:Array(String)} and exec_id in {exec_ids:Array(String)}
group by exec_id
