-- Depends-on: 001
create table books (id integer primary key, author integer not null references authors (id), title text not null);
insert into authors (id, name) values (1, 'Ada\\ with a backslash');

-- limosa:rollback
drop table books;
delete from authors;
