"""Complaints by phone, at the counter or in writing."""

from pathlib import Path
from typing import Any

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Apply the SQL file beside this module."""
    statements = Path(__file__).with_name("0008_complaints.sql").read_text(encoding="utf-8")
    psycopg_connection: Any = op.get_bind().connection.driver_connection
    psycopg_connection.execute(statements)  # many statements at once, which SQLAlchemy refuses


def downgrade() -> None:
    """What people said could not be kept."""
    raise RuntimeError("this revision cannot be undone without losing complaints")
