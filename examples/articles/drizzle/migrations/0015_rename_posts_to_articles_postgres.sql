-- Migration: 0015_rename_posts_to_articles_postgres.sql
-- Purpose: posts become articles, step 1 of 3: both tables, kept the same by triggers
-- Engines: postgres

-- LIKE ... INCLUDING ALL: the key, the defaults and the indexes come along; CREATE
-- TABLE AS would leave them out, and ON CONFLICT (id) needs the key.

CREATE TABLE articles (LIKE posts INCLUDING ALL);

ALTER TABLE articles ADD CONSTRAINT articles_author_id_fkey FOREIGN KEY (author_id) REFERENCES users (id);

-- Each table's trigger writes the other table. What is there already is not written
-- again, so that the answer of the other trigger changes nothing and ends the round.

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

-- limosa:rollback
DROP TRIGGER sync_posts ON posts;
DROP TABLE articles;
DROP FUNCTION sync_articles_to_posts();
DROP FUNCTION sync_posts_to_articles();
