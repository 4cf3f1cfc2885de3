"""Analysis in blocks of event time, cut by district into jobs; the job queue's own tables."""

from pathlib import Path
from typing import Any

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Apply the SQL file beside this module, and the queue's schema as its library has it.

    A later version of the library whose schema differs needs a revision of its own, with the
    migrations that the library brings between the two.
    """
    statements = Path(__file__).with_name("0009_blocks.sql").read_text(encoding="utf-8")
    psycopg_connection: Any = op.get_bind().connection.driver_connection
    psycopg_connection.execute(statements)  # many statements at once, which SQLAlchemy refuses
    psycopg_connection.execute(SchemaManager.get_schema())


def downgrade() -> None:
    """What was judged cannot be judged back."""
    raise RuntimeError("this revision cannot be undone")
