-- Migration: 007_item_dimensions.sql
-- Purpose: Weight and size of items, for planning loads
-- Phase: 3
-- Tags: stock

-- New columns may be NULL: running applications know nothing of them yet.
ALTER TABLE items ADD COLUMN weight_kg NUMERIC(10, 3) CHECK (weight_kg IS NULL OR weight_kg > 0);
ALTER TABLE items ADD COLUMN volume_l NUMERIC(10, 3) CHECK (volume_l IS NULL OR volume_l > 0);

-- limosa:rollback
ALTER TABLE items DROP COLUMN volume_l;
ALTER TABLE items DROP COLUMN weight_kg;
