-- Migration: 0016_copy_posts_to_articles_sqlite.sql
-- Purpose: posts become articles, step 2 of 3: what was there before the triggers
-- Depends-on: 0015
-- Engines: sqlite

INSERT INTO articles (id, author_id, title, content, created_at, updated_at)
SELECT id, author_id, title, content, created_at, updated_at FROM posts
WHERE id NOT IN (SELECT id FROM articles);

-- limosa:rollback
-- The copies go with the table, by the way back of 0015.
SELECT 'articles are left as they are' AS note;
