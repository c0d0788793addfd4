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
CREATE TABLE customers (id bigserial PRIMARY KEY, email text NOT NULL UNIQUE, created_at timestamptz NOT NULL DEFAULT now(), tier text, phone varchar(20))
CREATE TYPE order_status AS ENUM ('pending', 'paid', 'shipped')
CREATE TABLE orders (id bigserial PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers (id) ON DELETE CASCADE, status order_status NOT NULL DEFAULT 'pending', total numeric(12,2) NOT NULL DEFAULT 0, created_at timestamptz NOT NULL DEFAULT now())
INSERT INTO customers (email, tier) SELECT 'u' || i || '@x.org', CASE WHEN i % 2 = 0 THEN 'gold' END FROM generate_series(1, 10) AS i
INSERT INTO orders (customer_id, total, created_at) SELECT 1 + i % 10, i * 1.5, '2025-01-15 00:00:00+00'::timestamptz + i * interval '1 minute' FROM generate_series(1, 20) i
SELECT status, count(*) FROM orders GROUP BY status
ALTER TYPE order_status ADD VALUE 'refunded'
ALTER TYPE order_status ADD VALUE IF NOT EXISTS 'refunded'
ALTER TYPE order_status ADD VALUE 'refunded'
UPDATE orders SET status = 'refunded' WHERE id = 1
UPDATE orders SET status = 'lost' WHERE id = 1
SELECT id, status FROM orders WHERE status = 'refunded'
SELECT id FROM orders WHERE status = 'nope'
SELECT status FROM orders GROUP BY status ORDER BY status
ALTER TYPE order_status RENAME VALUE 'refunded' TO 'returned'
DROP TYPE order_status
SELECT enum_range(NULL::order_status)
ALTER TABLE orders ALTER COLUMN status DROP DEFAULT
ALTER TABLE orders ALTER COLUMN status TYPE text
ALTER TABLE orders ALTER COLUMN status TYPE text USING status::text
DROP TYPE order_status
DROP TYPE IF EXISTS order_status
ALTER TABLE orders ALTER COLUMN status SET DEFAULT 'pending'
BEGIN; SAVEPOINT a; DELETE FROM orders WHERE id < 5; ROLLBACK TO SAVEPOINT a; COMMIT; SELECT count(*) FROM orders
SAVEPOINT a
BEGIN; SAVEPOINT a; SELECT nope; ROLLBACK TO a; SELECT 1; COMMIT
BEGIN; RELEASE SAVEPOINT nope; COMMIT
BEGIN; ROLLBACK TO nope; COMMIT
SELECT DISTINCT ON (customer_id) customer_id, id FROM orders ORDER BY customer_id, id DESC
SELECT DISTINCT ON (customer_id) customer_id, id, total FROM orders WHERE total > 3 ORDER BY customer_id, created_at DESC LIMIT 3
SELECT status, count(*) FROM orders GROUP BY ROLLUP (status) ORDER BY 1
SELECT status, customer_id, count(*) FROM orders WHERE customer_id < 3 GROUP BY GROUPING SETS ((status), (customer_id), ()) ORDER BY 1, 2
SELECT c.email, count(*) FROM customers c NATURAL JOIN (SELECT customer_id AS id FROM orders) o GROUP BY c.email ORDER BY 1 LIMIT 2
PREPARE q AS SELECT count(*) FROM orders
EXECUTE q
DEALLOCATE q
DO $$ BEGIN RAISE NOTICE 'hello'; END $$
CREATE TABLE orders_backup_20250115 AS SELECT * FROM orders WHERE created_at > '2025-01-15 00:10:00+00'
SELECT count(*) FROM orders_backup_20250115
DELETE FROM orders WHERE id IN (SELECT id FROM orders_backup_20250115)
INSERT INTO orders SELECT * FROM orders_backup_20250115 ON CONFLICT (id) DO NOTHING
INSERT INTO orders SELECT * FROM orders_backup_20250115
INSERT INTO orders SELECT b.* FROM orders_backup_20250115 b LEFT JOIN orders o USING (id) WHERE o.id IS NULL
WITH gone AS (DELETE FROM orders WHERE created_at > '2025-01-15 00:15:00+00' RETURNING *) SELECT count(*) FROM gone
WITH gone AS (DELETE FROM orders WHERE id = 3 RETURNING *) INSERT INTO orders_backup_20250115 SELECT * FROM gone
WITH upd AS (UPDATE orders SET total = 0 WHERE id = 4 RETURNING id) SELECT * FROM upd
SELECT setval('orders_id_seq', (SELECT max(id) FROM orders))
SELECT setval(pg_get_serial_sequence('orders', 'id'), COALESCE(MAX(id), 1)) FROM orders
SELECT last_value, is_called FROM orders_id_seq
SELECT currval('orders_id_seq')
SELECT nextval('orders_id_seq')
ALTER SEQUENCE orders_id_seq RESTART WITH 1000
SELECT nextval('orders_id_seq'), currval('orders_id_seq'), lastval()
CREATE INDEX CONCURRENTLY orders_created ON orders (created_at)
BEGIN; CREATE INDEX CONCURRENTLY x ON orders (total); COMMIT
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_created ON orders (created_at)
DROP INDEX CONCURRENTLY orders_created
DROP INDEX CONCURRENTLY IF EXISTS orders_created
REINDEX TABLE orders
REINDEX INDEX orders_pkey
REINDEX INDEX nope
REINDEX DATABASE shop
REINDEX TABLE CONCURRENTLY orders
VACUUM
VACUUM ANALYZE orders
VACUUM FULL orders
VACUUM nope
BEGIN; VACUUM; COMMIT
ANALYZE orders
ANALYZE nope
CLUSTER orders USING orders_pkey
ALTER TABLE customers DROP COLUMN phone
ALTER TABLE customers DROP COLUMN IF EXISTS phone
ALTER TABLE customers RENAME COLUMN tier TO level
ALTER TABLE customers RENAME TO clients
ALTER TABLE clients RENAME TO customers
ALTER TABLE customers ADD COLUMN a int, ADD COLUMN b int NOT NULL DEFAULT 7
ALTER TABLE customers DROP COLUMN a, DROP COLUMN b
ALTER TABLE customers ALTER COLUMN email DROP NOT NULL
ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey
ALTER TABLE orders ADD CONSTRAINT orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (id) NOT VALID
ALTER TABLE orders VALIDATE CONSTRAINT orders_customer_id_fkey
ALTER TABLE orders DISABLE TRIGGER ALL
ALTER TABLE orders ENABLE TRIGGER ALL
ALTER TABLE orders SET (autovacuum_enabled = false)
ALTER TABLE orders OWNER TO owner
ALTER TABLE orders OWNER TO nobody
ALTER TABLE orders SET SCHEMA nope
ALTER TABLE orders ALTER COLUMN total TYPE numeric(14,4)
ALTER INDEX orders_pkey RENAME TO orders_key
ALTER INDEX orders_key RENAME TO orders_pkey
CREATE ROLE app LOGIN PASSWORD 'x'
GRANT SELECT, INSERT ON orders TO app
GRANT ALL PRIVILEGES ON ALL TABLES IN SCHEMA public TO app
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO app
GRANT CONNECT ON DATABASE shop TO app
GRANT app TO owner
REVOKE ALL ON orders FROM app
REVOKE CONNECT ON DATABASE shop FROM PUBLIC
REVOKE CONNECT ON DATABASE nope FROM PUBLIC
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO app
ALTER ROLE app SET statement_timeout = '30s'
ALTER ROLE app WITH PASSWORD 'y'
ALTER USER app NOLOGIN
SELECT pg_size_pretty(pg_database_size('nope'))
SELECT pg_size_pretty(0::bigint), pg_size_pretty(1::bigint), pg_size_pretty(10239::bigint), pg_size_pretty(1234567890123::bigint)
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'nope'
SELECT pid, usename, state FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
SELECT state, count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() GROUP BY state
SELECT count(*) FROM pg_locks WHERE NOT granted
SELECT relname, n_live_tup FROM pg_stat_user_tables WHERE relname = 'nope'
SELECT conname, contype FROM pg_constraint WHERE conrelid = 'orders'::regclass ORDER BY 1
SELECT attname FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
SELECT relname, relkind FROM pg_class WHERE relname IN ('orders', 'orders_pkey') ORDER BY 1
SELECT indexrelid::regclass, indisvalid FROM pg_index WHERE indrelid = 'orders'::regclass ORDER BY 1
SELECT schemaname, matviewname FROM pg_matviews
SELECT sequencename, last_value FROM pg_sequences WHERE sequencename = 'orders_id_seq'
SELECT rolname, rolsuper FROM pg_roles WHERE rolname = 'owner'
SELECT extname FROM pg_extension
SELECT pg_is_in_recovery()
SELECT pg_last_xact_replay_timestamp()
SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'orders_pkey'
SELECT pg_get_viewdef('nope')
SELECT version() LIKE 'PostgreSQL 15%'
SELECT current_setting('server_version_num')::int / 10000
SELECT constraint_name, constraint_type FROM information_schema.table_constraints WHERE table_name = 'orders' AND constraint_type <> 'CHECK' ORDER BY 1
SELECT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 'orders' AND column_name = 'total')
SELECT EXISTS (SELECT FROM information_schema.tables WHERE table_name = 'orders')
SELECT has_table_privilege('owner', 'orders', 'SELECT')
DROP ROLE app
SELECT * FROM pg_stat_activity WHERE wait_event_type = 'Lock'
DO $$ BEGIN RAISE NOTICE 'hello'; END $$
MERGE INTO items USING parts ON items.id = parts.id WHEN MATCHED THEN DELETE
SELECT name FROM items FOR UPDATE NOWAIT
SELECT enum_range(NULL::mood)
SHOW search_path
SET lock_timeout = '5s'; SHOW lock_timeout
SET statement_timeout = 90000; SHOW statement_timeout
SET statement_timeout = 'soon'
SET LOCAL lock_timeout = '1s'
BEGIN; SET LOCAL lock_timeout = '1s'; SHOW lock_timeout; COMMIT
SET ROLE nope
RESET ALL
CREATE TABLE t (id serial PRIMARY KEY, v text, n int, d numeric(8,2), at timestamp, j jsonb)
INSERT INTO t (v, n, d, at, j) VALUES ('a', 1, 1.25, '2025-01-01 10:00', '{"k": 1, "b": [1,2]}'), ('b', 2, 2.5, '2025-01-02 11:30', '{"k":2}'), ('c', NULL, NULL, NULL, NULL)
SELECT * FROM t ORDER BY id
SELECT id, lag(n) OVER (ORDER BY id), lead(n, 1, 0) OVER (ORDER BY id) FROM t
SELECT id, sum(n) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING), sum(d) OVER (PARTITION BY n), avg(n) OVER () FROM t ORDER BY id
SELECT id, sum(n) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t
SELECT ntile(2) OVER (ORDER BY id), rank() OVER (ORDER BY n), dense_rank() OVER (ORDER BY n) FROM t ORDER BY 1, 2
SELECT id, first_value(v) OVER w FROM t WINDOW w AS (ORDER BY id DESC) ORDER BY 1
SELECT string_agg(v, ',' ORDER BY id DESC), array_agg(n ORDER BY n), string_agg(v, '') FROM t
SELECT at::date, to_char(at, 'Mon DD, YYYY'), to_char(at, 'Day'), to_char(at, 'HH12:MI AM') FROM t WHERE id = 1
SELECT to_date('20250115', 'YYYYMMDD'), to_timestamp('2025-01-15 10:30', 'YYYY-MM-DD HH24:MI')
SELECT lpad('7', 3, '0'), rpad('x', 3, '.'), repeat('ab', 2), reverse('abc'), initcap('hello world')
SELECT concat_ws('-', 'a', NULL, 'b'), format('%s-%I-%L', 'a', 'B', 'c'), format('%s', NULL)
SELECT regexp_replace('a1b2', '[0-9]', '', 'g'), regexp_replace('abc', '(b)', '<\1>'), regexp_replace('Abc', 'a', 'x', 'i')
SELECT trunc(1.789, 1), trunc(-1.7), sign(-3), chr(65), ascii('A')
SELECT now() AT TIME ZONE 'UTC' > '2020-01-01', '2025-01-15 10:00'::timestamp AT TIME ZONE 'UTC'
SELECT id FROM t ORDER BY n NULLS FIRST FETCH FIRST 2 ROWS ONLY
SELECT id FROM t FOR UPDATE
SELECT id FROM t INTERSECT SELECT 1
SELECT id FROM t EXCEPT SELECT 1 ORDER BY 1
UPDATE t SET n = s.n + 1 FROM (SELECT max(n) AS n FROM t) s WHERE t.id = 1 RETURNING t.id, t.n
DELETE FROM t USING (VALUES (3)) AS d(id) WHERE t.id = d.id
INSERT INTO t DEFAULT VALUES RETURNING id
BEGIN READ ONLY; DELETE FROM t; COMMIT
BEGIN; SET TRANSACTION READ ONLY; DELETE FROM t; COMMIT
SET default_transaction_read_only = on; CREATE TABLE x (a int)
CREATE MATERIALIZED VIEW mv AS SELECT count(*) AS n FROM t
INSERT INTO t (v) VALUES ('mv')
SELECT * FROM mv
REFRESH MATERIALIZED VIEW mv
SELECT * FROM mv
REFRESH MATERIALIZED VIEW CONCURRENTLY mv
REFRESH MATERIALIZED VIEW t
DROP MATERIALIZED VIEW mv
ALTER INDEX nope RENAME TO x
ALTER TABLE t RENAME CONSTRAINT nope TO x
ALTER TABLE t RENAME nope TO x
CREATE UNIQUE INDEX one_null ON t (n) WHERE v IS NULL
SELECT indexdef FROM pg_indexes WHERE indexname = 'one_null'
CREATE INDEX lower_v ON t (lower(v))
CREATE TABLE c (id int, tid int REFERENCES t ON DELETE SET NULL, UNIQUE (id, tid), CHECK (id > 0))
\d c
ALTER TABLE c ADD PRIMARY KEY (id)
ALTER TABLE c ADD CONSTRAINT c_u UNIQUE (tid)
ALTER TABLE c ALTER COLUMN tid TYPE bigint, ALTER COLUMN tid SET DEFAULT 5
INSERT INTO c (id) VALUES (1)
\d c
ALTER TABLE c ALTER id DROP NOT NULL
SELECT count(*) FROM t WHERE at > now() - interval '1 hour'
SELECT count(*) FROM t WHERE at BETWEEN '2025-01-01' AND '2025-01-02'
SELECT date_trunc('day', at) AS day, count(*) FROM t GROUP BY 1 ORDER BY 1
SELECT v, count(*) AS c FROM t GROUP BY v HAVING count(*) > 0 ORDER BY c DESC, v LIMIT 5
SELECT max(id) - min(id) + 1 - count(*) AS gaps FROM t
SELECT CASE WHEN count(*) > 2 THEN 'OK' ELSE 'FAIL' END AS check FROM t
SELECT 'orders' AS table_name, count(*) FROM t UNION ALL SELECT 'c', count(*) FROM c ORDER BY 1
SELECT t.id FROM t LEFT JOIN c ON c.tid = t.id WHERE c.id IS NULL ORDER BY 1
SELECT * FROM t WHERE id NOT IN (SELECT tid FROM c WHERE tid IS NOT NULL) ORDER BY id
SELECT id % 2 AS parity, array_agg(v) FROM t GROUP BY parity ORDER BY 1
SELECT pg_size_pretty(pg_total_relation_size('t')) <> ''
SELECT relname FROM pg_stat_user_tables ORDER BY 1
SELECT * FROM pg_stat_activity WHERE false
SELECT pid <> 0, state, wait_event_type FROM pg_stat_activity WHERE pid = pg_backend_pid()
SELECT blocked.pid FROM pg_locks blocked WHERE NOT blocked.granted
SELECT pg_blocking_pids(1)
SELECT datname, pg_size_pretty(pg_database_size(datname)) <> '' FROM pg_database WHERE datname = 'shop'
SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 2
SELECT kcu.column_name FROM information_schema.key_column_usage kcu WHERE table_name = 't'
SELECT tc.table_name, kcu.column_name FROM information_schema.table_constraints tc JOIN information_schema.key_column_usage kcu ON tc.constraint_name = kcu.constraint_name WHERE tc.constraint_type = 'FOREIGN KEY'
SELECT EXISTS (SELECT 1 FROM pg_tables WHERE tablename = 't') AS there
SELECT to_regclass('public.t') IS NOT NULL
CREATE TABLE IF NOT EXISTS schema_migrations (version varchar(255) PRIMARY KEY)
INSERT INTO schema_migrations VALUES ('20250115') ON CONFLICT DO NOTHING
DELETE FROM schema_migrations WHERE version = '20250115'
SELECT version FROM schema_migrations ORDER BY version DESC LIMIT 1
CREATE TABLE alembic_version (version_num varchar(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))
UPDATE alembic_version SET version_num = 'abc'
ALTER TABLE t ADD COLUMN e text NOT NULL DEFAULT 'x', ADD COLUMN f int GENERATED BY DEFAULT AS IDENTITY
ALTER TABLE t DROP COLUMN e CASCADE
CREATE VIEW tv AS SELECT id, v FROM t
ALTER TABLE t DROP COLUMN v
ALTER TABLE t DROP COLUMN v CASCADE
ALTER TABLE t ALTER COLUMN d TYPE integer USING d::integer
SELECT id, d FROM t ORDER BY id
TRUNCATE t
TRUNCATE t CASCADE
TRUNCATE t, c RESTART IDENTITY
INSERT INTO t (n) VALUES (1) RETURNING id
INSERT INTO c VALUES ('9', 999)
INSERT INTO t (id, n) SELECT 100 + i, i FROM generate_series(1, 3) i ON CONFLICT (id) DO UPDATE SET n = EXCLUDED.n
SELECT count(*), min(id), max(id) FROM t
INSERT INTO t (id) VALUES (101) ON CONFLICT (n) DO NOTHING
SELECT 1; SELECT 2; SELECT nope; SELECT 3
BEGIN; INSERT INTO t (n) VALUES (7); SAVEPOINT s1; INSERT INTO t (n) VALUES (8); ROLLBACK TO s1; RELEASE s1; COMMIT
SELECT n FROM t WHERE n IN (7, 8)
SELECT nextval('t_id_seq')
SELECT 'abc' ~* 'B', 'abc' !~ 'x', 'a%c' LIKE 'a\%c', 'x' NOT LIKE 'y%', 'ABC' ILIKE 'a_c'
SELECT '1 day'::interval * 2, interval '1 hour' / 2, '2025-01-15'::date - 7, interval '36 hours'
SELECT extract(epoch FROM '2025-01-15 00:00:00+00'::timestamptz)::bigint
SELECT 5 / 2.0, 5::numeric / 2, round(5 / 3.0, 2), 1e2::int, 10 % 3.5
SELECT 100.0 * 3 / 7 AS pct, round(100.0 * 3 / 7, 1)
SELECT ARRAY[1,2], ARRAY['a','b']
SELECT (SELECT count(*) FROM t) - (SELECT count(*) FROM c) AS diff
SELECT COALESCE(max(id), 0) FROM c
SELECT nullif('', '') IS NULL, 'a' || NULL IS NULL
SELECT * FROM t ORDER BY random() LIMIT 0
SELECT count(*) FILTER (WHERE n > 1) AS big, count(*) - count(n) AS nulls FROM t
SELECT current_timestamp > '2020-01-01', current_date > '2020-01-01'::date
SELECT 1 AS "Weird ""name"""
SELECT 1::bool, 't'::bool, 'yes'::boolean, true::int, true::text
SELECT '10'::int + 5, '3.7'::numeric::int, 3.5::int, 2.5::int, -2.5::int
SELECT 1000000 * 1000000
SELECT 9223372036854775807 + 1
SELECT cast('x' AS varchar(3)), cast(5 AS text) || 'a'
SELECT * FROM generate_series('2025-01-01'::date, '2025-01-03', interval '1 day') d
SELECT x.* FROM (SELECT 1 AS a UNION SELECT 2) x ORDER BY a DESC
SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname = 't'
DROP TABLE t
DROP TABLE t, c
DROP TABLE IF EXISTS t, c
DROP SCHEMA public CASCADE
CREATE SCHEMA public
CREATE TABLE t (a int)
DROP SCHEMA public
GRANT ALL ON SCHEMA public TO public
CREATE SCHEMA IF NOT EXISTS public
ALTER SCHEMA public OWNER TO nobody
DROP USER IF EXISTS app
