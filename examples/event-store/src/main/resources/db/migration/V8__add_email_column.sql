ALTER TABLE command_model.users ADD COLUMN email VARCHAR(255);
