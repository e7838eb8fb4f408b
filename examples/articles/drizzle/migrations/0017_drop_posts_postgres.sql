-- Migration: 0017_drop_posts_postgres.sql
-- Purpose: posts become articles, step 3 of 3: the old table goes
-- Depends-on: 0016
-- Engines: postgres
-- Data-loss: allowed

-- Run it when all code uses articles. The data is in both tables, and this file
-- says so before it drops one.

LOCK TABLE posts, articles IN SHARE ROW EXCLUSIVE MODE;

DO $$
BEGIN
    IF EXISTS (SELECT * FROM posts EXCEPT SELECT * FROM articles)
    OR EXISTS (SELECT * FROM articles EXCEPT SELECT * FROM posts) THEN
        RAISE EXCEPTION 'posts and articles differ';
    END IF;
END;
$$;

DROP TRIGGER sync_articles ON articles;
DROP TRIGGER sync_posts ON posts;
DROP FUNCTION sync_articles_to_posts();
DROP FUNCTION sync_posts_to_articles();
DROP TABLE posts;

-- limosa:rollback
-- Both tables again, with all rows, as 0016 left them.
CREATE TABLE posts (LIKE articles INCLUDING ALL);
ALTER TABLE posts ADD CONSTRAINT posts_author_id_fkey FOREIGN KEY (author_id) REFERENCES users (id);
LOCK TABLE articles IN SHARE ROW EXCLUSIVE MODE;
INSERT INTO posts (id, author_id, title, content, created_at, updated_at)
SELECT id, author_id, title, content, created_at, updated_at FROM articles;

CREATE FUNCTION sync_posts_to_articles() RETURNS TRIGGER
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE' AND NEW.id <> OLD.id) THEN
        DELETE FROM articles WHERE id = OLD.id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO articles (id, author_id, title, content, created_at, updated_at)
        VALUES (NEW.id, NEW.author_id, NEW.title, NEW.content, NEW.created_at, NEW.updated_at)
        ON CONFLICT (id) DO UPDATE
        SET author_id = EXCLUDED.author_id,
            title = EXCLUDED.title,
            content = EXCLUDED.content,
            created_at = EXCLUDED.created_at,
            updated_at = EXCLUDED.updated_at
        WHERE articles IS DISTINCT FROM EXCLUDED;
    END IF;
    RETURN NULL;
END;
$$;

CREATE FUNCTION sync_articles_to_posts() RETURNS TRIGGER
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE' AND NEW.id <> OLD.id) THEN
        DELETE FROM posts WHERE id = OLD.id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO posts (id, author_id, title, content, created_at, updated_at)
        VALUES (NEW.id, NEW.author_id, NEW.title, NEW.content, NEW.created_at, NEW.updated_at)
        ON CONFLICT (id) DO UPDATE
        SET author_id = EXCLUDED.author_id,
            title = EXCLUDED.title,
            content = EXCLUDED.content,
            created_at = EXCLUDED.created_at,
            updated_at = EXCLUDED.updated_at
        WHERE posts IS DISTINCT FROM EXCLUDED;
    END IF;
    RETURN NULL;
END;
$$;

CREATE TRIGGER sync_posts AFTER INSERT OR UPDATE OR DELETE ON posts
FOR EACH ROW EXECUTE FUNCTION sync_posts_to_articles();

CREATE TRIGGER sync_articles AFTER INSERT OR UPDATE OR DELETE ON articles
FOR EACH ROW EXECUTE FUNCTION sync_articles_to_posts();
