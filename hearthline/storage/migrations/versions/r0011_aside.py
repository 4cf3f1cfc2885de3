"""Districts whose analysis failed are set aside."""

from pathlib import Path
from typing import Any

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Apply the SQL file beside this module."""
    statements = Path(__file__).with_name("0011_aside.sql").read_text(encoding="utf-8")
    psycopg_connection: Any = op.get_bind().connection.driver_connection
    psycopg_connection.execute(statements)  # many statements at once, which SQLAlchemy refuses


def downgrade() -> None:
    """Nobody remembers which districts failed; they are tried anyway."""
    op.execute("DROP TABLE analysis_aside")
