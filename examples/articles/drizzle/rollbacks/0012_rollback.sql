-- Rollback for: 0012_populate_avatar.sql
-- Avatars that users have chosen stay.

UPDATE users
SET avatar_url = NULL
WHERE avatar_url = CONCAT('https://api.dicebear.com/7.x/initials/svg?seed=', id);
