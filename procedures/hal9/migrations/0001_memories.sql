CREATE TABLE memories (id bigserial PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now(), agent text, content text);
