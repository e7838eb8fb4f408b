-- Migration: 0010_add_user_preferences_postgres.sql
-- Purpose: Each user has preferences, also those who were there before
-- Engines: postgres

CREATE TABLE user_preferences (
    user_id  UUID PRIMARY KEY CONSTRAINT user_preferences_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    theme    VARCHAR(20) NOT NULL DEFAULT 'light' CHECK (theme IN ('light', 'dark', 'system')),
    language VARCHAR(10) NOT NULL DEFAULT 'en'
);

CREATE FUNCTION create_default_preferences() RETURNS TRIGGER
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO user_preferences (user_id) VALUES (NEW.id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END;
$$;

CREATE TRIGGER users_default_preferences AFTER INSERT ON users
FOR EACH ROW EXECUTE FUNCTION create_default_preferences();

-- Behind the trigger: no user who comes meanwhile is forgotten.
INSERT INTO user_preferences (user_id) SELECT id FROM users ON CONFLICT DO NOTHING;

-- limosa:rollback
DROP TRIGGER users_default_preferences ON users;
DROP FUNCTION create_default_preferences();
DROP TABLE user_preferences;
