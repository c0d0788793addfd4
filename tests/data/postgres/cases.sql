CREATE TABLE items (id serial PRIMARY KEY, name varchar(20) NOT NULL, price numeric(10,2) DEFAULT 0, made timestamptz, tags text, ok boolean DEFAULT true)
INSERT INTO items (name, price, made) VALUES ('bolt', 1.5, '2025-01-15 10:00:00+00'), ('nut', 0.25, '2025-01-14 09:30:15.5+00'), ('gear', 120, NULL)
SELECT * FROM items ORDER BY id
SELECT id, name, price * 3 AS three FROM items WHERE price > 1 ORDER BY price DESC
SELECT count(*), sum(price), min(price), max(price), avg(price) FROM items
SELECT avg(id), sum(id), count(made) FROM items
SELECT round(avg(price), 2), round(2.567, 1), round(10.0 / 3, 3) FROM items
SELECT 7 / 2, 7 % 3, -7 / 2, 7.0 / 2, 1 / 3.0, 100 * 1.10
SELECT 10::numeric / 4, 2::float8 / 3, 1e3, 0.1 + 0.2, 0.1::float8 + 0.2::float8
SELECT 1 / 0
SELECT 2147483647 + 1
SELECT 'a' || 'b', upper('abc'), length('abc'), substr('abcdef', 2, 3), replace('aXa', 'X', '-')
SELECT position('c' in 'abc'), trim('  x '), left('abcdef', 2), right('abcdef', 2), split_part('a,b,c', ',', 2)
SELECT coalesce(NULL, 'x'), nullif(1, 1), greatest(1, 5, 3), least('b', 'a')
SELECT CASE WHEN price > 100 THEN 'dear' WHEN price > 1 THEN 'fair' ELSE 'cheap' END AS class, count(*) FROM items GROUP BY 1 ORDER BY 1
SELECT name, count(*) FROM items
SELECT name FROM items GROUP BY id ORDER BY id
SELECT count(*) FROM items WHERE count(*) > 1
SELECT * FROM items WHERE name = 5
SELECT * FROM items WHERE id = 'x'
SELECT * FROM itms
SELECT naem FROM items
SELECT i.nope FROM items i
SELECT x.name FROM items i
SELECT items.name FROM items i
SELECT name name2 FROM items WHERE
SELECT FROM items WHERE
SELEKT 1
SELECT 'unterminated
SELECT foo(1)
SELECT lower(1)
SELECT 1 + 'x'
SELECT 'x'::integer
SELECT '2025-13-01'::date
SELECT '2025-01-15'::date + 30, '2025-01-15'::date - '2025-01-01'::date
SELECT '2025-01-15 10:00:00+00'::timestamptz - interval '1 hour 30 minutes'
SELECT '2025-03-31'::timestamp - interval '1 month', '2024-02-29'::timestamp + interval '1 year'
SELECT interval '90 minutes', interval '1 day 2 hours', interval '1 month -3 days', interval '-1 day'
SELECT '2025-01-15 10:00:00'::timestamp - '2025-01-10 08:30:00'::timestamp
SELECT date_trunc('hour', '2025-01-15 10:35:12'::timestamp), date_trunc('day', '2025-01-15 10:35:12+00'::timestamptz), date_trunc('month', '2025-01-15'::timestamp)
SELECT extract(epoch FROM '2025-01-15 10:00:00+00'::timestamptz), extract(hour FROM '2025-01-15 10:35:12'::timestamp), extract(dow FROM '2025-01-15'::date)
SELECT to_char('2025-01-15 10:35:12'::timestamp, 'YYYY-MM-DD HH24:MI:SS')
SELECT extract(epoch FROM interval '1 hour')
SELECT true, false, NOT true, 1 = 1, NULL IS NULL, 'a' < 'b'
SELECT 1 WHERE NULL
SELECT name FROM items WHERE name LIKE 'b%' OR name ILIKE 'GE%' ORDER BY name
SELECT name FROM items WHERE name ~ '^[bn]' ORDER BY 1
SELECT name FROM items WHERE id IN (1, 3) AND price BETWEEN 1 AND 200 ORDER BY id DESC
SELECT name FROM items WHERE made IS NOT NULL ORDER BY made
SELECT name, made FROM items ORDER BY made NULLS FIRST, name
SELECT name, made FROM items ORDER BY made DESC
SELECT name FROM items ORDER BY 3
SELECT name FROM items LIMIT 2 OFFSET 1
SELECT DISTINCT ok FROM items
SELECT a.name, b.name FROM items a JOIN items b ON a.id = b.id - 1 ORDER BY 1
SELECT a.id, b.id FROM items a LEFT JOIN items b ON b.id = a.id + 1 ORDER BY a.id
SELECT id FROM items a, items b
SELECT * FROM (SELECT id, name FROM items) AS q WHERE q.id = 2
SELECT * FROM (SELECT id FROM items)
SELECT name, (SELECT max(price) FROM items) AS top FROM items WHERE id = 1
SELECT name FROM items i WHERE EXISTS (SELECT 1 FROM items j WHERE j.price > i.price) ORDER BY 1
SELECT name FROM items WHERE price > (SELECT avg(price) FROM items)
WITH q AS (SELECT id FROM items WHERE id > 1) SELECT count(*) FROM q
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4) SELECT sum(i) FROM n
SELECT 1 AS a UNION SELECT 2 UNION ALL SELECT 2 ORDER BY a
SELECT 1 UNION SELECT 1, 2
VALUES (1, 'x'), (2, 'y')
SELECT generate_series FROM generate_series(1, 3)
SELECT n FROM generate_series(10, 1, -3) AS n
SELECT row_number() OVER (ORDER BY price DESC), name FROM items
SELECT string_agg(name, ', ') FROM items
SELECT count(DISTINCT ok), count(*) FILTER (WHERE price > 1) FROM items
INSERT INTO items (id, name) VALUES (1, 'again')
INSERT INTO items (name) VALUES (NULL)
INSERT INTO items (price) VALUES (3)
INSERT INTO items (name) VALUES ('a name that is too long for it')
INSERT INTO items (nope) VALUES (1)
INSERT INTO items (name, price) VALUES ('x')
INSERT INTO items (name) VALUES ('x', 2)
INSERT INTO items (name, price) VALUES ('w', 'abc')
INSERT INTO items (name, made) VALUES ('w', 5)
INSERT INTO items (id, name) VALUES (1, 'again') ON CONFLICT DO NOTHING
INSERT INTO items (id, name, price) VALUES (1, 'bolt', 9) ON CONFLICT (id) DO UPDATE SET price = excluded.price + items.price RETURNING id, price
INSERT INTO items (name) VALUES ('late') RETURNING *
UPDATE items SET price = price + 1 WHERE id < 3
UPDATE items SET nope = 1
UPDATE items SET name = NULL WHERE id = 1
UPDATE items SET id = 2 WHERE id = 1
UPDATE items SET price = DEFAULT WHERE name = 'gear' RETURNING name, price
DELETE FROM items WHERE price > 1000
DELETE FROM items WHERE name = 'late' RETURNING name
DELETE FROM nowhere
CREATE TABLE items (a int)
CREATE TABLE IF NOT EXISTS items (a int)
CREATE TABLE parts (id bigint PRIMARY KEY, item integer REFERENCES items(id), n integer CHECK (n > 0), code text UNIQUE)
INSERT INTO parts VALUES (1, 1, 5, 'a'), (2, 2, 6, 'b')
INSERT INTO parts VALUES (3, 99, 5, 'c')
INSERT INTO parts VALUES (3, 1, 0, 'c')
INSERT INTO parts VALUES (3, 1, 1, 'b')
DELETE FROM items WHERE id = 1
TRUNCATE items
DROP TABLE items
\d parts
\d items
\dt
\d nope
\di
\ds
\dv
ALTER TABLE parts ADD COLUMN note text DEFAULT 'none'
ALTER TABLE parts ADD COLUMN note text
ALTER TABLE parts ADD COLUMN IF NOT EXISTS note text
ALTER TABLE parts ADD COLUMN must integer NOT NULL
SELECT id, note FROM parts ORDER BY id
ALTER TABLE parts RENAME COLUMN note TO remark
ALTER TABLE parts ALTER COLUMN remark SET NOT NULL
INSERT INTO parts (id, remark) VALUES (9, NULL)
ALTER TABLE parts DROP COLUMN nothing
ALTER TABLE parts DROP COLUMN IF EXISTS nothing
ALTER TABLE parts DROP COLUMN remark
ALTER TABLE parts ALTER COLUMN code TYPE integer
ALTER TABLE parts ALTER COLUMN n TYPE bigint
ALTER TABLE parts ADD CONSTRAINT small CHECK (n < 6)
ALTER TABLE parts ADD CONSTRAINT small CHECK (n < 60)
ALTER TABLE parts DROP CONSTRAINT small
ALTER TABLE parts DROP CONSTRAINT small
ALTER TABLE parts DROP CONSTRAINT IF EXISTS small
ALTER TABLE nope ADD COLUMN x int
ALTER TABLE IF EXISTS nope ADD COLUMN x int
CREATE INDEX parts_n ON parts (n)
CREATE INDEX parts_n ON parts (n)
CREATE INDEX IF NOT EXISTS parts_n ON parts (n)
CREATE UNIQUE INDEX parts_item ON parts (item, n)
INSERT INTO parts VALUES (7, 1, 5, 'z')
DROP INDEX parts_n
DROP INDEX parts_n
DROP INDEX IF EXISTS parts_n
DROP INDEX parts_pkey
CREATE VIEW dear AS SELECT id, name FROM items WHERE price > 1
SELECT * FROM dear ORDER BY id
CREATE VIEW dear AS SELECT 1
CREATE OR REPLACE VIEW dear AS SELECT id, name, price FROM items WHERE price > 2
CREATE VIEW dearest AS SELECT max(price) AS top FROM dear
DROP VIEW dear
DROP TABLE items, parts
DROP VIEW dearest
DROP VIEW IF EXISTS dearest
DROP VIEW dearest
DROP TABLE dear
DROP VIEW dear CASCADE
CREATE FUNCTION touch() RETURNS trigger AS $$ BEGIN RETURN NEW; END $$ LANGUAGE plpgsql
CREATE TRIGGER touched BEFORE UPDATE ON parts FOR EACH ROW EXECUTE FUNCTION touch()
DROP FUNCTION touch()
DROP TRIGGER touched ON items
DROP TRIGGER IF EXISTS touched ON items
DROP TRIGGER touched ON parts
DROP FUNCTION touch()
DROP FUNCTION IF EXISTS touch()
DROP FUNCTION touch()
CREATE SEQUENCE ticket START WITH 5
SELECT nextval('ticket'), nextval('ticket')
SELECT setval('ticket', 40)
SELECT nextval('nosuch')
DROP SEQUENCE ticket
CREATE SCHEMA lab
CREATE SCHEMA lab
CREATE TABLE lab.probe (x int)
INSERT INTO lab.probe VALUES (1), (2), (3)
SELECT sum(x) FROM lab.probe
SELECT * FROM lab.nothing
DROP SCHEMA lab
DROP SCHEMA lab CASCADE
CREATE TABLE copy1 AS SELECT id, name FROM items
SELECT * FROM copy1 ORDER BY 1
CREATE TABLE copy2 (LIKE items INCLUDING ALL)
INSERT INTO copy2 SELECT * FROM items
SELECT count(*) FROM copy2
TRUNCATE copy2
TRUNCATE nowhere
SELECT count(*) FROM copy2
DROP TABLE copy1, copy2
BEGIN; DELETE FROM parts; ROLLBACK; SELECT count(*) FROM parts
BEGIN; SELECT nope; SELECT 1
INSERT INTO parts VALUES (8, 1, 8, 'h'); INSERT INTO parts VALUES (8, 1, 8, 'h'); SELECT 1
SELECT count(*) FROM parts
COMMIT
ROLLBACK
CREATE DATABASE other
CREATE DATABASE other
DROP DATABASE other
DROP DATABASE other
DROP DATABASE IF EXISTS other
DROP DATABASE shop
ALTER DATABASE nothing RENAME TO x
CREATE ROLE helper
CREATE ROLE helper
DROP ROLE helper
DROP ROLE helper
GRANT SELECT ON items TO nobody
SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1
SELECT column_name, data_type, is_nullable, column_default FROM information_schema.columns WHERE table_name = 'items' ORDER BY ordinal_position
SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1
SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'parts' ORDER BY 1
SELECT datname FROM pg_database ORDER BY 1
SELECT count(*) FROM pg_stat_activity WHERE datname = 'shop' AND pid <> pg_backend_pid()
SELECT pg_terminate_backend(999999)
SELECT current_database(), current_user, current_schema()
SHOW nosuch
SET nosuch = 1
SET statement_timeout = '5s'
SELECT pg_size_pretty(10240::bigint), pg_size_pretty(123456789::bigint)
SELECT to_regclass('items'), to_regclass('nosuch')
SELECT '{"a": 1}'::jsonb ->> 'a', '{"a": {"b": 2}}'::json -> 'a'
SELECT 'x' AS "Quoted Name", 1 AS "select"
SELECT E'line one\nline two' AS text, 1 AS n
SELECT '' AS empty, NULL AS nothing
SELECT 12345678901234567890, 1.50, -3, - 4
SELECT md5('x')
LOCK TABLE items
COPY (SELECT id, name FROM items ORDER BY id) TO STDOUT
COPY items (id, name) TO STDOUT WITH (FORMAT csv, HEADER)
COPY nosuch FROM STDIN
EXPLAIN SELECT 1
VACUUM items
ANALYZE
COMMENT ON TABLE items IS 'x'
SELECT pg_sleep(0)
DISCARD ALL
\x \\ SELECT 1
\conninfo
\echo hello world
\nosuch
\dn
\pset null N
