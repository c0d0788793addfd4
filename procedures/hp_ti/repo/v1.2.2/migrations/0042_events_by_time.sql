CREATE INDEX honeypot_events_created_at ON honeypot_events (created_at);
INSERT INTO schema_migrations (version, name) VALUES (42, 'events_by_time');
