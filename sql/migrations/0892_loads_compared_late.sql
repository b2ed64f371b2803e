-- A load is compared with the one that stands when one comes again, from the rows of both, and not by what the pointer says of rows
-- that may have expired since. A first load, which most are, is not read for it.
alter table core.market_loads comment column digest 'Of loads before this was 0: sum of the hashes of the rows.';
