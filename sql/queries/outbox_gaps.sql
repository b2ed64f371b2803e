-- Faults in the numbers of the outbox: must be none.
select stream, epoch, fault, from_sequence, to_sequence, heard_at
from audit.outbox_gaps
order by stream, epoch, from_sequence
limit {most:UInt32}
