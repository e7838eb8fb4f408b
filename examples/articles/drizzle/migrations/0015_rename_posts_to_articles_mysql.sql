-- Migration: 0015_rename_posts_to_articles_mysql.sql
-- Purpose: posts become articles, step 1 of 3: the new name is there
-- Engines: mysql

-- Two triggers that write each other's table are not possible here (error 1442).
-- A view does the same with one copy of the rows: what is written to it is written
-- to posts. INVOKER: who uses the view needs the rights, not who made it.

CREATE SQL SECURITY INVOKER VIEW articles AS
SELECT id, author_id, title, content, created_at, updated_at FROM posts;

-- limosa:rollback
DROP VIEW articles;
