create table posts (id integer primary key, title varchar(200) not null);
insert into posts (id, title) values (1, 'The first post'), (2, 'Another one');

-- limosa:rollback
drop table posts;
