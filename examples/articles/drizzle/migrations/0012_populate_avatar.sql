-- Migration: 0012_populate_avatar.sql
-- Purpose: Avatars, step 2 of 3: users who were there before get one
-- Depends-on: 0011
-- Engines: postgres, sqlite, mysql

UPDATE users
SET avatar_url = CONCAT('https://api.dicebear.com/7.x/initials/svg?seed=', id)
WHERE avatar_url IS NULL;
