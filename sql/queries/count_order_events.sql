-- How many rows core.order_events has, without taking words apart: a number of each answer is read, and each event is one.
select sum(if(kind = 'answer', objects_told, 1)) as rows
from audit.outbox_entries final
where kind in ('order', 'order_error') or (kind = 'answer' and question in ('open_orders', 'completed_orders'))
settings do_not_merge_across_partitions_select_final = 1
