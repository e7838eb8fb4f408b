-- Migration: 001_create_jobs.sql
-- Purpose: Work that is done behind the requests
-- Phase: 1
-- Checklist: docs/runbooks/migration_checklist.md#jobs
-- Engines: postgres

-- ============================================================================
-- JOBS
-- ============================================================================
-- Workers take the oldest job that is due. A job that failed goes back to
-- 'queued' with a later run_at, until it has no attempts left.

CREATE TABLE jobs (
    id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind         VARCHAR(100) NOT NULL,
    payload      JSONB NOT NULL DEFAULT '{}',
    state        VARCHAR(20) NOT NULL DEFAULT 'queued'
                 CHECK (state IN ('queued', 'running', 'done', 'failed')),
    attempts     SMALLINT NOT NULL DEFAULT 0 CHECK (attempts BETWEEN 0 AND max_attempts),
    max_attempts SMALLINT NOT NULL DEFAULT 5 CHECK (max_attempts > 0),
    run_at       TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    last_error   TEXT,
    created_at   TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    updated_at   TIMESTAMPTZ NOT NULL DEFAULT NOW()
);

CREATE INDEX idx_jobs_due ON jobs (run_at, id) WHERE state = 'queued';

-- ============================================================================
-- TIME OF THE LAST CHANGE
-- ============================================================================
-- One function for every table that has a column updated_at.

CREATE FUNCTION update_updated_at_column() RETURNS TRIGGER
LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END;
$$;

CREATE TRIGGER trg_jobs_updated_at BEFORE UPDATE ON jobs
FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- ============================================================================
-- ROLLBACK
-- ============================================================================
-- To rollback this migration:
--   DROP TRIGGER IF EXISTS trg_jobs_updated_at ON jobs;
--   DROP FUNCTION IF EXISTS update_updated_at_column();
--   DROP TABLE IF EXISTS jobs CASCADE;
--
-- WARNING: This will delete all job data. Backup before rollback.
