-- How many rows an answer told, beside the answer: who counts what was told reads one number of each answer, and takes no answer
-- apart. A column of the entry itself, since a second table could miss what a kill leaves between the two (decisions/0006).

alter table audit.outbox_entries
    add column if not exists rows_told UInt32
        materialized if(kind = 'answer', length(JSONExtractArrayRaw(payload, 'rows')), 0)
        comment 'Rows that the answer told; 0 for what is no answer.',
    add column if not exists objects_told UInt32
        materialized if(kind = 'answer', arrayCount(line -> JSONType(line) = 'Object', JSONExtractArrayRaw(payload, 'rows')), 0)
        comment 'Those of its rows that can be taken apart.';

alter table audit.outbox_entries materialize column rows_told;

alter table audit.outbox_entries materialize column objects_told;
