drop view if exists shelf;
create view shelf as select b.title, a.name from books b join authors a on a.id = b.author;
