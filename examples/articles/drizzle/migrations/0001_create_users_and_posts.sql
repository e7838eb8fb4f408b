-- Migration: 0001_create_users_and_posts.sql
-- Purpose: The first tables of the application
-- Engines: sqlite, mysql

-- Neither has a type for UUIDs that both know; the application makes them.

CREATE TABLE users (
    id           VARCHAR(36) NOT NULL PRIMARY KEY,
    email        VARCHAR(255) NOT NULL UNIQUE,
    name         VARCHAR(100) NOT NULL,
    legacy_field VARCHAR(100) NOT NULL,
    created_at   TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);

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

-- limosa:rollback
DROP TABLE posts;
DROP TABLE users;
