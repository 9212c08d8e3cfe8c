"""A version for departments: whoever changes a share of the air says what he saw.

Revision 0006, after 0005.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE department ADD COLUMN version integer DEFAULT 1 NOT NULL")


def downgrade() -> None:
    op.execute("ALTER TABLE department DROP COLUMN version")
