"""What was counted at capture, beside each take and each reel: the report of a recording is made of it.

Revision 0002, after 0001. Rows that are there already keep NULL: nobody counted.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE take ADD COLUMN findings jsonb")
    op.execute("ALTER TABLE reel ADD COLUMN tracks jsonb")


def downgrade() -> None:
    op.execute("ALTER TABLE reel DROP COLUMN tracks")
    op.execute("ALTER TABLE take DROP COLUMN findings")
