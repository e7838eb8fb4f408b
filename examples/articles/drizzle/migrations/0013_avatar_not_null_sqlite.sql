-- Migration: 0013_avatar_not_null_sqlite.sql
-- Purpose: Avatars, step 3 of 3: every user has one
-- Depends-on: 0012
-- Engines: sqlite

-- Run it when all code that writes users writes the column.

-- What old code wrote since step 2.
UPDATE users
SET avatar_url = CONCAT('https://api.dicebear.com/7.x/initials/svg?seed=', id)
WHERE avatar_url IS NULL;

ALTER TABLE users ALTER COLUMN avatar_url SET NOT NULL;

-- limosa:rollback
ALTER TABLE users ALTER COLUMN avatar_url DROP NOT NULL;
