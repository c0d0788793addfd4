CREATE TABLE visits (
    id bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
