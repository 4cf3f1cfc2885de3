"""The only room with SQL: the pool, the migrations, named queries and the repositories.

Statements live in ``sql/<family>.sql`` under ``-- name:`` headings; repositories are functions
that take an open connection first and speak the domain's words. A caller opens the transaction,
so that several repositories can share one.
"""
