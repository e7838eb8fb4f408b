-- Migration: 0015_rename_posts_to_articles_sqlite.sql
-- Purpose: posts become articles, step 1 of 3: both tables, kept the same by triggers
-- Engines: sqlite

CREATE TABLE articles (
    id         VARCHAR(36) NOT NULL PRIMARY KEY,
    author_id  VARCHAR(36) NOT NULL,
    title      VARCHAR(200) NOT NULL,
    content    TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT articles_author_fk FOREIGN KEY (author_id) REFERENCES users (id)
);

CREATE INDEX articles_author_idx ON articles (author_id, created_at);

-- Each table's triggers write the other table. What is there already is not written
-- again, so that the answer of the other trigger changes nothing and ends the round.

CREATE TRIGGER sync_posts_insert AFTER INSERT ON posts BEGIN
    INSERT INTO articles (id, author_id, title, content, created_at, updated_at)
    VALUES (NEW.id, NEW.author_id, NEW.title, NEW.content, NEW.created_at, NEW.updated_at)
    ON CONFLICT (id) DO NOTHING;
END;

CREATE TRIGGER sync_posts_update AFTER UPDATE ON posts BEGIN
    UPDATE articles
    SET (id, author_id, title, content, created_at, updated_at)
      = (NEW.id, NEW.author_id, NEW.title, NEW.content, NEW.created_at, NEW.updated_at)
    WHERE id = OLD.id
      AND (id, author_id, title, content, created_at, updated_at)
          IS NOT (NEW.id, NEW.author_id, NEW.title, NEW.content, NEW.created_at, NEW.updated_at);
END;

CREATE TRIGGER sync_posts_delete AFTER DELETE ON posts BEGIN
    DELETE FROM articles WHERE id = OLD.id;
END;

CREATE TRIGGER sync_articles_insert AFTER INSERT ON articles BEGIN
    INSERT INTO posts (id, author_id, title, content, created_at, updated_at)
    VALUES (NEW.id, NEW.author_id, NEW.title, NEW.content, NEW.created_at, NEW.updated_at)
    ON CONFLICT (id) DO NOTHING;
END;

CREATE TRIGGER sync_articles_update AFTER UPDATE ON articles BEGIN
    UPDATE posts
    SET (id, author_id, title, content, created_at, updated_at)
      = (NEW.id, NEW.author_id, NEW.title, NEW.content, NEW.created_at, NEW.updated_at)
    WHERE id = OLD.id
      AND (id, author_id, title, content, created_at, updated_at)
          IS NOT (NEW.id, NEW.author_id, NEW.title, NEW.content, NEW.created_at, NEW.updated_at);
END;

CREATE TRIGGER sync_articles_delete AFTER DELETE ON articles BEGIN
    DELETE FROM posts WHERE id = OLD.id;
END;

-- limosa:rollback
DROP TRIGGER sync_posts_delete;
DROP TRIGGER sync_posts_update;
DROP TRIGGER sync_posts_insert;
DROP TABLE articles;
