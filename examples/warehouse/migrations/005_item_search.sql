-- Migration: 005_item_search.sql
-- Purpose: The assistant finds items by words of their description
-- Phase: 2
-- Engines: postgres
-- Lock-timeout: 5s
-- Tags: search

-- SQLite keeps the plain search; the migration is not applicable there.
--
-- The index is built while the table is used. Such a statement runs outside any
-- transaction; if it is interrupted, the next run finds the invalid index, drops
-- it and builds it again.

CREATE INDEX CONCURRENTLY items_by_words ON items
USING gin (to_tsvector('english', name || ' ' || description));

-- ============================================================================
-- ROLLBACK
-- ============================================================================
-- Nothing is lost:
--   DROP INDEX CONCURRENTLY items_by_words;
