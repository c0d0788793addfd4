-- Takes migration 43 back and keeps every event.
ALTER TABLE honeypot_events DROP CONSTRAINT IF EXISTS payload_is_short;
ALTER TABLE honeypot_events DROP COLUMN IF EXISTS severity;
DELETE FROM schema_migrations WHERE version = 43;
