-- Migration: 006_activity_triggers_sqlite.sql
-- Purpose: Changes of tasks and machines are recorded by the database
-- Phase: 2
-- Engines: sqlite
-- Tags: audit

-- SQLite has no functions of its own, so each table and each kind of change gets
-- a trigger. It does not know who is at work either; the application may fill in
-- the actor later in the same transaction.

CREATE TRIGGER tasks_inserted AFTER INSERT ON tasks BEGIN
    INSERT INTO activity_log (id, action, entity, entity_id, details)
    VALUES (lower(hex(randomblob(16))), 'insert', 'tasks', NEW.id, NEW.state);
END;

CREATE TRIGGER tasks_updated AFTER UPDATE ON tasks BEGIN
    INSERT INTO activity_log (id, action, entity, entity_id, details)
    VALUES (
        lower(hex(randomblob(16))), 'update', 'tasks', NEW.id,
        CASE WHEN NEW.state = OLD.state THEN NEW.state ELSE OLD.state || ' -> ' || NEW.state END
    );
END;

CREATE TRIGGER tasks_deleted AFTER DELETE ON tasks BEGIN
    INSERT INTO activity_log (id, action, entity, entity_id, details)
    VALUES (lower(hex(randomblob(16))), 'delete', 'tasks', OLD.id, OLD.state);
END;

CREATE TRIGGER equipment_updated AFTER UPDATE ON equipment BEGIN
    INSERT INTO activity_log (id, action, entity, entity_id, details)
    VALUES (lower(hex(randomblob(16))), 'update', 'equipment', NEW.id, NEW.state);
END;

-- limosa:rollback
DROP TRIGGER equipment_updated;
DROP TRIGGER tasks_deleted;
DROP TRIGGER tasks_updated;
DROP TRIGGER tasks_inserted;
