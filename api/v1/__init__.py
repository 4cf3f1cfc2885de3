"""The machine interface under ``/api/v1``: JSON, RFC 3339 in UTC, problem+json, keyset pages."""
