-- What messages taught for reading others, by key.

-- name: read
SELECT key, body FROM format_memory WHERE key = ANY(%(keys)s);

-- name: learn
-- Other processes are told, so that none goes on reading by what no longer holds.
WITH learnt AS (
    INSERT INTO format_memory AS m (key, body, learnt_at)
    SELECT key, body::jsonb, %(at)s FROM unnest(%(keys)b::text[], %(bodies)b::text[]) AS i (key, body)
    ORDER BY key
    ON CONFLICT (key) DO UPDATE SET body = excluded.body, learnt_at = excluded.learnt_at
    WHERE m.body IS DISTINCT FROM excluded.body
    RETURNING key
)
SELECT pg_notify('hearthline_ledger', '') FROM learnt LIMIT 1;
