alter table posts add column slug varchar(200);

-- limosa:rollback
alter table posts drop column slug;
