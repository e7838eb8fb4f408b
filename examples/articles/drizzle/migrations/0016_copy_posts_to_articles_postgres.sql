-- Migration: 0016_copy_posts_to_articles_postgres.sql
-- Purpose: posts become articles, step 2 of 3: what was there before the triggers
-- Depends-on: 0015
-- Engines: postgres

-- Apart from 0015, so that making the triggers locks posts for a moment only.
-- FOR SHARE: a post that someone deletes meanwhile is not copied once more.

INSERT INTO articles (id, author_id, title, content, created_at, updated_at)
SELECT id, author_id, title, content, created_at, updated_at FROM posts
FOR SHARE
ON CONFLICT (id) DO NOTHING;

-- limosa:rollback
-- The copies go with the table, by the way back of 0015.
SELECT 'articles are left as they are' AS note;
