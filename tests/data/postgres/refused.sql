EXPLAIN SELECT 1
SELECT enum_range(NULL::order_status)
SELECT status, count(*) FROM orders GROUP BY ROLLUP (status) ORDER BY 1
SELECT status, customer_id, count(*) FROM orders WHERE customer_id < 3 GROUP BY GROUPING SETS ((status), (customer_id), ()) ORDER BY 1, 2
PREPARE q AS SELECT count(*) FROM orders
EXECUTE q
DEALLOCATE q
DO $$ BEGIN RAISE NOTICE 'hello'; END $$
ALTER TABLE orders SET SCHEMA nope
SELECT pg_get_viewdef('nope')
DROP ROLE app
DROP USER IF EXISTS app
MERGE INTO items USING parts ON items.id = parts.id WHEN MATCHED THEN DELETE
SELECT pg_blocking_pids(1)
