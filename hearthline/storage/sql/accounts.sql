-- People, their sessions, machine keys, and answers kept for repeated requests.

-- name: add_account
INSERT INTO account (login, name, role, password_hash, locale)
VALUES (%(login)s, %(name)s, %(role)s, %(password_hash)s, %(locale)s)
ON CONFLICT (login) DO NOTHING
RETURNING id, login, name, role, locale;

-- name: account_by_login
SELECT id, login, name, role, locale, password_hash, disabled FROM account WHERE login = %(login)s;

-- name: set_password
UPDATE account SET password_hash = %(password_hash)s WHERE login = %(login)s RETURNING id;

-- name: set_disabled
UPDATE account SET disabled = %(disabled)s WHERE login = %(login)s RETURNING id;

-- name: set_locale
UPDATE account SET locale = %(locale)s WHERE id = %(id)s;

-- name: end_sessions_of
DELETE FROM session WHERE account_id = %(account_id)s;

-- name: open_session
INSERT INTO session (token_hash, account_id, created_at, expires_at)
VALUES (%(token_hash)s, %(account_id)s, %(now)s, %(expires_at)s);

-- name: account_by_session
SELECT a.id, a.login, a.name, a.role, a.locale
FROM session s JOIN account a ON a.id = s.account_id
WHERE s.token_hash = %(token_hash)s AND s.expires_at > %(now)s AND NOT a.disabled;

-- name: end_session
DELETE FROM session WHERE token_hash = %(token_hash)s;

-- name: forget_expired
DELETE FROM session WHERE expires_at <= %(now)s;

-- name: add_key
INSERT INTO api_key (key_hash, name, role) VALUES (%(key_hash)s, %(name)s, %(role)s)
ON CONFLICT (name) DO NOTHING RETURNING name;

-- name: key_by_hash
SELECT name, role FROM api_key WHERE key_hash = %(key_hash)s AND NOT disabled;

-- name: disable_key
UPDATE api_key SET disabled = true WHERE name = %(name)s RETURNING name;

-- name: claim_request
-- Waits for a concurrent request with the same key; no row comes back when one was there first.
INSERT INTO idempotency (key, actor, request, status, response)
VALUES (%(key)s, %(actor)s, %(request)s, 0, '{}')
ON CONFLICT (actor, key) DO NOTHING RETURNING key;

-- name: claimed_request
SELECT request, status, response FROM idempotency WHERE actor = %(actor)s AND key = %(key)s;

-- name: answer_request
UPDATE idempotency SET status = %(status)s, response = %(response)s
WHERE actor = %(actor)s AND key = %(key)s;

-- name: forget_requests
DELETE FROM idempotency WHERE created_at < %(before)s;

-- name: any_user
SELECT 1 AS found FROM account WHERE NOT disabled LIMIT 1;
