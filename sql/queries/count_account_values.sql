-- How many rows core.account_values has, without taking words apart: a number of each answer is read, and each event is one.
select sum(if(kind = 'answer', objects_told, 1)) as rows
from audit.outbox_entries final
where kind = 'account_value' or (kind = 'answer' and question = 'account_values')
settings do_not_merge_across_partitions_select_final = 1
