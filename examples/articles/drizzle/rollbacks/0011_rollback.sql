-- Rollback for: 0011_add_user_avatar.sql

ALTER TABLE users DROP COLUMN avatar_url;
