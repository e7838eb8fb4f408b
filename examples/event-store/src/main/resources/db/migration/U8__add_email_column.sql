ALTER TABLE command_model.users DROP COLUMN email;
