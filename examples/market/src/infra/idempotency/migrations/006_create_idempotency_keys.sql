-- Migration: 006_create_idempotency_keys.sql
-- Purpose: A request that is sent twice is done once
-- Phase: 2
-- Checklist: docs/runbooks/migration_checklist.md#idempotency
-- Engines: postgres

-- ============================================================================
-- KEYS OF REQUESTS
-- ============================================================================
-- The second folder of the project; versions count through both.

CREATE TABLE idempotency_keys (
    key          VARCHAR(255) PRIMARY KEY,
    request_hash VARCHAR(64) NOT NULL,
    response     JSONB,
    created_at   TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    expires_at   TIMESTAMPTZ NOT NULL DEFAULT NOW() + INTERVAL '24 hours',
    CHECK (expires_at > created_at)
);

CREATE INDEX idx_idempotency_keys_expiry ON idempotency_keys (expires_at);

-- ============================================================================
-- ROLLBACK
-- ============================================================================
-- To rollback this migration:
--   DROP TABLE IF EXISTS idempotency_keys;
