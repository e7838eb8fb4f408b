-- Migration: 0016_swap_posts_and_articles_mysql.sql
-- Purpose: posts become articles, step 2 of 3: the table takes the new name, a view the old one
-- Depends-on: 0015
-- Engines: mysql

-- A view of the view to begin with; one RENAME then swaps all names at once.

CREATE SQL SECURITY INVOKER VIEW posts_view AS
SELECT id, author_id, title, content, created_at, updated_at FROM articles;

RENAME TABLE articles TO articles_view, posts TO articles, posts_view TO posts;

DROP VIEW articles_view;

-- limosa:rollback
CREATE SQL SECURITY INVOKER VIEW articles_view AS
SELECT id, author_id, title, content, created_at, updated_at FROM posts;

RENAME TABLE posts TO posts_view, articles TO posts, articles_view TO articles;

DROP VIEW posts_view;
