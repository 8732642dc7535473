"""${message}.

A revision changes the schema so that the release before it still works: servers are replaced one
after the other.
"""

import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Change the schema."""
    ${upgrades if upgrades else ""}
