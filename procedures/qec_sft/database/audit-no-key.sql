-- As audit.sql, were the table made without a key: nothing refuses a second copy of a row.
CREATE TABLE audit_log (
    id bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    source text,
    actor text NOT NULL,
    action text NOT NULL
);
