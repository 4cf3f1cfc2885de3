-- Places for processes that do one job side by side: session-level advisory locks.

-- name: take
SELECT pg_try_advisory_lock(%(job)s::int, %(number)s::int) AS mine;

-- name: look
SELECT 1;
