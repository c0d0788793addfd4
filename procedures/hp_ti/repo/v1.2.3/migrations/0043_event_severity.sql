-- v1.2.3 grades events by severity.
ALTER TABLE honeypot_events ADD COLUMN severity smallint NOT NULL DEFAULT 0;
-- Long payloads go to object storage from now on, so the column may stay small.
ALTER TABLE honeypot_events ADD CONSTRAINT payload_is_short CHECK (length(payload) <= 256) NOT VALID;
INSERT INTO schema_migrations (version, name) VALUES (43, 'event_severity');
