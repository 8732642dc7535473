"""Conversations and what was said in them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "conversations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("name", sa.String(255), nullable=False, unique=True),
        sa.Column("length", sa.Integer, nullable=False),
        sa.Column("last_active", sa.Float, nullable=False, index=True),
        # Without it SQLite would give the number of a deleted conversation to the next one.
        sqlite_autoincrement=True,
    )
    op.create_table(
        "turns",
        sa.Column(
            "conversation",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            sa.ForeignKey("conversations.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
