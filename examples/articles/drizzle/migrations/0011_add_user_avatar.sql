-- Migration: 0011_add_user_avatar.sql
-- Purpose: Avatars, step 1 of 3: a column that may be empty
-- Engines: postgres, sqlite, mysql

-- Safe while the old code runs: it does not know the column, and need not.

ALTER TABLE users ADD COLUMN avatar_url VARCHAR(500);
