-- Two roles: who writes facts, and who reads them. Users are made by the operator and granted one of them.
create role if not exists desk_writer;
grant select, insert, alter, create, drop, truncate, optimize on raw.* to desk_writer;
grant select, insert, alter, create, drop, truncate, optimize on core.* to desk_writer;
grant select, insert, alter, create, drop, truncate, optimize on audit.* to desk_writer;
grant select, insert, alter, create, drop, truncate, optimize on metrics.* to desk_writer;
grant select, insert, alter, create, drop, truncate, optimize on marts.* to desk_writer;
create role if not exists desk_reader settings readonly = 1, max_execution_time = 120, max_result_rows = 10000000;
grant select on raw.* to desk_reader;
grant select on core.* to desk_reader;
grant select on audit.* to desk_reader;
grant select on metrics.* to desk_reader;
grant select on marts.* to desk_reader;
