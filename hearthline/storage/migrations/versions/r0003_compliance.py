"""Compliance: maintenance windows, the chain of verdicts, why heat is not owed."""

from pathlib import Path
from typing import Any

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Apply the SQL file beside this module."""
    statements = Path(__file__).with_name("0003_compliance.sql").read_text(encoding="utf-8")
    psycopg_connection: Any = op.get_bind().connection.driver_connection
    psycopg_connection.execute(statements)  # many statements at once, which SQLAlchemy refuses


def downgrade() -> None:
    """What was judged since could not be kept."""
    raise RuntimeError("this revision cannot be undone without losing judgements")
