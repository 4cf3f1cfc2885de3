"""Indexes for reading a few districts of a large city."""

from pathlib import Path
from typing import Any

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Apply the SQL file beside this module."""
    statements = Path(__file__).with_name("0010_lots.sql").read_text(encoding="utf-8")
    psycopg_connection: Any = op.get_bind().connection.driver_connection
    psycopg_connection.execute(statements)  # many statements at once, which SQLAlchemy refuses


def downgrade() -> None:
    """Queries find the same without them."""
    op.execute("DROP INDEX device_weather")
    op.execute("DROP INDEX device_binding_since")
