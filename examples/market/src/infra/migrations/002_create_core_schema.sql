-- Migration: 002_create_core_schema.sql
-- Purpose: Markets, the events that move them, and the log of approvals
-- Phase: 1
-- Checklist: docs/runbooks/migration_checklist.md#core-schema
-- Depends-on: 001_create_jobs.sql
-- Engines: postgres

-- ============================================================================
-- MARKETS
-- ============================================================================

CREATE TABLE markets (
    id         UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    slug       VARCHAR(100) NOT NULL UNIQUE,
    title      VARCHAR(255) NOT NULL,
    category   VARCHAR(50) NOT NULL,
    status     VARCHAR(20) NOT NULL DEFAULT 'draft'
               CHECK (status IN ('draft', 'open', 'closed', 'settled')),
    closes_at  TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    CHECK (status <> 'open' OR closes_at IS NOT NULL)
);

-- The function is the one of 001, which is why this file depends on it.
CREATE TRIGGER trg_markets_updated_at BEFORE UPDATE ON markets
FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- ============================================================================
-- EVENTS
-- ============================================================================

CREATE TABLE events (
    id          UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    market_id   UUID NOT NULL REFERENCES markets (id) ON DELETE CASCADE,
    source      VARCHAR(100) NOT NULL,
    headline    TEXT NOT NULL,
    occurred_at TIMESTAMPTZ NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    UNIQUE (market_id, source, occurred_at)
);

CREATE INDEX idx_events_market_time ON events (market_id, occurred_at DESC);

-- ============================================================================
-- AUDIT
-- ============================================================================
-- Who approved what. Rows are written and never changed: the trigger refuses.

CREATE TABLE audit_events (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    actor      VARCHAR(255) NOT NULL,
    action     VARCHAR(100) NOT NULL,
    subject    VARCHAR(255) NOT NULL,
    details    JSONB NOT NULL DEFAULT '{}',
    created_at TIMESTAMPTZ NOT NULL DEFAULT NOW()
);

CREATE FUNCTION refuse_change_of_audit_events() RETURNS TRIGGER
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_events is append-only';
END;
$$;

CREATE TRIGGER trg_audit_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit_events();

-- ============================================================================
-- ROLLBACK
-- ============================================================================
-- To rollback this migration:
--   DROP TABLE IF EXISTS audit_events CASCADE;
--   DROP FUNCTION IF EXISTS refuse_change_of_audit_events();
--   DROP TABLE IF EXISTS events CASCADE;
--   DROP TABLE IF EXISTS markets CASCADE;
--
-- WARNING: Markets, events and the log of approvals are lost. Backup before
-- rollback.
