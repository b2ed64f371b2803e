-- How many rows core.broker_positions has, without taking answers apart: a number of each answer is read. A repeat of an entry
-- lies in its month, so months are not compared with one another.
select sum(rows_told) as rows
from audit.outbox_entries final
where kind = 'answer' and question = 'positions'
settings do_not_merge_across_partitions_select_final = 1
