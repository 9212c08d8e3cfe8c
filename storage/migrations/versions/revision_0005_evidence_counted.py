"""What is in a reel of evidence, track by track, as it was captured: with it a take's frames can all be accounted for.

Revision 0005, after 0004. Evidence that was kept before has not been counted: it keeps NULL. Of takes that ended before
it is not known where they ended, nor what the disk did not take.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE evidence_reel ADD COLUMN tracks jsonb")
    op.execute(
        """
        UPDATE take SET findings = findings || '{"unrecorded": {"frames": {}, "stretches": []}, "ends_at_ms": 0}'
        WHERE findings IS NOT NULL
        """
    )


def downgrade() -> None:
    op.execute("UPDATE take SET findings = findings - 'unrecorded' - 'ends_at_ms' WHERE findings IS NOT NULL")
    op.execute("ALTER TABLE evidence_reel DROP COLUMN tracks")
