-- Events of every honeypot, one row each.
CREATE TABLE honeypot_events (
    id bigserial PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    source_ip inet NOT NULL,
    payload text NOT NULL
);
INSERT INTO schema_migrations (version, name) VALUES (41, 'honeypot_events');
