-- What the platform had before HAP.
CREATE TABLE requests (
    id bigserial PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    user_id text NOT NULL,
    prompt text NOT NULL
);
INSERT INTO schema_migrations (version, name) VALUES (6, 'platform');
