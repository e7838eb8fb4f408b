CREATE TABLE command_model.user_preferences (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES command_model.users (id),
    preferences JSONB NOT NULL
);
