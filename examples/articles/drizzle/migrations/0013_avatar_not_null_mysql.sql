-- Migration: 0013_avatar_not_null_mysql.sql
-- Purpose: Avatars, step 3 of 3: every user has one
-- Depends-on: 0012
-- Engines: mysql

-- Run it when all code that writes users writes the column.

-- What old code wrote since step 2.
UPDATE users
SET avatar_url = CONCAT('https://api.dicebear.com/7.x/initials/svg?seed=', id)
WHERE avatar_url IS NULL;

-- LOCK=NONE: others read and write meanwhile, or the server refuses.
ALTER TABLE users MODIFY COLUMN avatar_url VARCHAR(500) NOT NULL, ALGORITHM=INPLACE, LOCK=NONE;

-- limosa:rollback
ALTER TABLE users MODIFY COLUMN avatar_url VARCHAR(500) NULL;
