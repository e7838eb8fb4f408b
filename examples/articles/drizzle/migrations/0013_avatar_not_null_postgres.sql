-- Migration: 0013_avatar_not_null_postgres.sql
-- Purpose: Avatars, step 3 of 3: every user has one
-- Depends-on: 0012
-- Engines: postgres

-- Run it when all code that writes users writes the column.
-- Several transactions, so that no lock that stops readers is held while the rows
-- are looked at; each commits with its place in the journal.

BEGIN;
-- From here on no row without an avatar comes in. NOT VALID: the old rows are looked at later.
ALTER TABLE users ADD CONSTRAINT users_avatar_url_filled CHECK (avatar_url IS NOT NULL) NOT VALID;
COMMIT;

BEGIN;
-- What old code wrote since step 2.
UPDATE users
SET avatar_url = CONCAT('https://api.dicebear.com/7.x/initials/svg?seed=', id)
WHERE avatar_url IS NULL;
COMMIT;

BEGIN;
-- Reads all rows, and lets others read and write meanwhile.
ALTER TABLE users VALIDATE CONSTRAINT users_avatar_url_filled;
COMMIT;

BEGIN;
-- The proven constraint spares another look at the rows.
ALTER TABLE users ALTER COLUMN avatar_url SET NOT NULL;
ALTER TABLE users DROP CONSTRAINT users_avatar_url_filled;
COMMIT;

-- limosa:rollback
ALTER TABLE users ALTER COLUMN avatar_url DROP NOT NULL;
