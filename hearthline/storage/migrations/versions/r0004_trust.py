"""Sensor trust: grades with their numbers, certified readings on site."""

from pathlib import Path
from typing import Any

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Apply the SQL file beside this module."""
    statements = Path(__file__).with_name("0004_trust.sql").read_text(encoding="utf-8")
    psycopg_connection: Any = op.get_bind().connection.driver_connection
    psycopg_connection.execute(statements)  # many statements at once, which SQLAlchemy refuses


def downgrade() -> None:
    """What was judged since could not be kept."""
    raise RuntimeError("this revision cannot be undone without losing judgements")
