"""The first house: every table that one lecture needs on its way.

Revision 0001, after nothing. The tables are in the SQL file beside this one. There is no way down from here: an empty
database is made, not downgraded to.
"""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Runs the script as it stands; psycopg takes several statements at once only where none has parameters."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(script)


def downgrade() -> None:
    raise NotImplementedError("the first revision has no way down: restore a backup instead")
