-- What the state migration does: it gives memories a place in the hierarchy. Both architectures can read them afterwards.
ALTER TABLE memories ADD COLUMN layer integer;
INSERT INTO schema_migrations (version) VALUES (2);
