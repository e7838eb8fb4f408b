-- Migration: 0017_drop_posts_sqlite.sql
-- Purpose: posts become articles, step 3 of 3: the old table goes
-- Depends-on: 0016
-- Engines: sqlite
-- Data-loss: allowed

-- Run it when all code uses articles. The data is in both tables, and this file
-- proves it before it drops one: the constraint refuses any row that differs.

CREATE TABLE posts_and_articles_differ (id VARCHAR(36), CHECK (id IS NULL));
INSERT INTO posts_and_articles_differ
SELECT id FROM (SELECT * FROM posts EXCEPT SELECT * FROM articles)
UNION SELECT id FROM (SELECT * FROM articles EXCEPT SELECT * FROM posts);
DROP TABLE posts_and_articles_differ;

DROP TRIGGER sync_articles_delete;
DROP TRIGGER sync_articles_update;
DROP TRIGGER sync_articles_insert;
DROP TABLE posts;

-- limosa:rollback
-- Both tables again, with all rows, as 0016 left them.
CREATE TABLE posts (
    id         VARCHAR(36) NOT NULL PRIMARY KEY,
    author_id  VARCHAR(36) NOT NULL,
    title      VARCHAR(200) NOT NULL,
    content    TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT posts_author_fk FOREIGN KEY (author_id) REFERENCES users (id)
);

CREATE INDEX posts_author_idx ON posts (author_id, created_at);

INSERT INTO posts (id, author_id, title, content, created_at, updated_at)
SELECT id, author_id, title, content, created_at, updated_at FROM articles;

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
