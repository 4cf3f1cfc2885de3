-- The reading role; its DDL is composed in roles.py, since names and passwords are no parameters.

-- name: lock
SELECT pg_advisory_xact_lock(%(key)s);

-- name: known
SELECT 1 AS known FROM pg_roles WHERE rolname = %(role)s;
