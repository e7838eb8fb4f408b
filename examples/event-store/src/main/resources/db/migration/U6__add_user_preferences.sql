DROP TABLE command_model.user_preferences;
