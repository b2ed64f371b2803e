-- Every entry of the broker session's outbox reached the warehouse: the numbers of each life of the stream have no hole,
-- and none was given twice.
select stream, epoch, fault, from_sequence, to_sequence, heard_at
from audit.outbox_gaps
