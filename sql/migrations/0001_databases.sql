-- The five rooms of the warehouse: raw as it came, core facts, audit, metrics, and marts that only models write.
create database if not exists raw;
create database if not exists core;
create database if not exists audit;
create database if not exists metrics;
create database if not exists marts;
