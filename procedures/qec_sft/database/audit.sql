CREATE TABLE audit_log (
    id bigserial PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    source text,
    actor text NOT NULL,
    action text NOT NULL
);
