-- Migration: 0010_add_user_preferences.sql
-- Purpose: Each user has preferences, also those who were there before
-- Engines: sqlite, mysql

CREATE TABLE user_preferences (
    user_id  VARCHAR(36) NOT NULL PRIMARY KEY,
    theme    VARCHAR(20) NOT NULL DEFAULT 'light' CHECK (theme IN ('light', 'dark', 'system')),
    language VARCHAR(10) NOT NULL DEFAULT 'en',
    CONSTRAINT user_preferences_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);

-- No DELIMITER is needed: limosa follows the blocks.
CREATE TRIGGER users_default_preferences AFTER INSERT ON users FOR EACH ROW
BEGIN
    INSERT INTO user_preferences (user_id) VALUES (NEW.id);
END;

INSERT INTO user_preferences (user_id)
SELECT id FROM users WHERE id NOT IN (SELECT user_id FROM user_preferences);

-- limosa:rollback
DROP TRIGGER users_default_preferences;
DROP TABLE user_preferences;
