-- Migration: 006_activity_triggers_postgres.sql
-- Purpose: Changes of tasks and machines are recorded by the database
-- Phase: 2
-- Engines: postgres
-- Tags: audit

-- One function for all tables; the name of the key column is its argument.
-- 006_activity_triggers_sqlite.sql is the same version for SQLite.

CREATE FUNCTION record_activity() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    changed jsonb := CASE WHEN TG_OP = 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
BEGIN
    INSERT INTO activity_log (id, actor, action, entity, entity_id, details)
    VALUES (
        gen_random_uuid()::text,
        coalesce(nullif(current_setting('warehouse.actor', true), ''), session_user),
        lower(TG_OP),
        TG_TABLE_NAME,
        changed ->> TG_ARGV[0],
        changed ->> 'state'
    );
    RETURN NULL;
END;
$$;

CREATE TRIGGER tasks_activity AFTER INSERT OR UPDATE OR DELETE ON tasks
FOR EACH ROW EXECUTE FUNCTION record_activity('id');

CREATE TRIGGER equipment_activity AFTER UPDATE ON equipment
FOR EACH ROW EXECUTE FUNCTION record_activity('id');

-- limosa:rollback
DROP TRIGGER equipment_activity ON equipment;
DROP TRIGGER tasks_activity ON tasks;
DROP FUNCTION record_activity();
