-- Schemas for events, read models and commands, and what the application may do in them.

CREATE SCHEMA IF NOT EXISTS event_store;
CREATE SCHEMA IF NOT EXISTS read_model;
CREATE SCHEMA IF NOT EXISTS command_model;

GRANT USAGE ON SCHEMA event_store, read_model, command_model TO ${application_user};

-- Events are appended and read, never changed: tables of event_store get their own grants.
ALTER DEFAULT PRIVILEGES IN SCHEMA read_model GRANT ALL ON TABLES TO ${application_user};
ALTER DEFAULT PRIVILEGES IN SCHEMA command_model GRANT ALL ON TABLES TO ${application_user};
ALTER DEFAULT PRIVILEGES IN SCHEMA event_store GRANT USAGE ON SEQUENCES TO ${application_user};
ALTER DEFAULT PRIVILEGES IN SCHEMA read_model GRANT ALL ON SEQUENCES TO ${application_user};
ALTER DEFAULT PRIVILEGES IN SCHEMA command_model GRANT ALL ON SEQUENCES TO ${application_user};
