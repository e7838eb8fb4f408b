-- Migration: 0017_drop_posts_mysql.sql
-- Purpose: posts become articles, step 3 of 3: the old name goes
-- Depends-on: 0016
-- Engines: mysql

-- Run it when all code uses articles.

DROP VIEW posts;

-- limosa:rollback
CREATE SQL SECURITY INVOKER VIEW posts AS
SELECT id, author_id, title, content, created_at, updated_at FROM articles;
