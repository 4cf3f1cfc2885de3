"""The foundation: the tree, readings, rollups, verdicts, incidents, tickets, accounts."""

from pathlib import Path
from typing import Any

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything from the SQL file beside this module."""
    statements = Path(__file__).with_name("0001_foundation.sql").read_text(encoding="utf-8")
    psycopg_connection: Any = op.get_bind().connection.driver_connection
    psycopg_connection.execute(statements)  # many statements at once, which SQLAlchemy refuses


def downgrade() -> None:
    """There is nothing before the foundation."""
    raise RuntimeError("the first revision cannot be undone; drop the database instead")
