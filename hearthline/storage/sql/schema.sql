-- Edition probe, policies of the Community edition, and our own chunk dropping.

-- name: license
SELECT current_setting('timescaledb.license', true) AS license;

-- name: drop_chunks
SELECT drop_chunks(%(table)s::regclass, older_than => %(age)s::interval) AS chunk;

-- name: seed_policy
INSERT INTO policy (code, valid_from, body)
VALUES (%(code)s, %(valid_from)s, %(body)s)
ON CONFLICT (code, valid_from) DO UPDATE SET body = excluded.body
WHERE policy.body IS DISTINCT FROM excluded.body;

-- name: stored_policy
SELECT body FROM policy WHERE code = %(code)s AND valid_from = %(valid_from)s;

-- name: enable_compression
ALTER TABLE :table SET (timescaledb.compress, timescaledb.compress_segmentby = 'device_id',
                        timescaledb.compress_orderby = 'time DESC');

-- name: compression_policy
SELECT add_compression_policy(':table', compress_after => interval '45 days', if_not_exists => true);

-- name: retention_policy
SELECT add_retention_policy(':table', drop_after => :age, if_not_exists => true);
