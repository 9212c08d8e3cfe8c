"""Playback withdrawn from a person, a department's share of the encoders, and how many watched a session at most.

Revision 0004, after 0003. Of sessions that are over nobody counted: they keep NULL.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE playback_withdrawal (
            id uuid NOT NULL CONSTRAINT pk_playback_withdrawal PRIMARY KEY,
            session_id uuid NOT NULL CONSTRAINT fk_playback_withdrawal_session_id_session REFERENCES session (id),
            account_id uuid NOT NULL CONSTRAINT fk_playback_withdrawal_account_id_account REFERENCES account (id),
            previews_only boolean NOT NULL,
            withdrawn_at timestamp with time zone NOT NULL,
            bars boolean NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX ix_playback_withdrawal_withdrawn_at ON playback_withdrawal (withdrawn_at)")
    op.execute(
        "CREATE UNIQUE INDEX ix_playback_withdrawal_session_id_account_id "
        "ON playback_withdrawal (session_id, account_id) WHERE bars"
    )
    op.execute("ALTER TABLE department ADD COLUMN max_publishers integer")
    op.execute(
        "ALTER TABLE department ADD CONSTRAINT ck_department_max_publishers "
        "CHECK (max_publishers IS NULL OR max_publishers >= 0)"
    )
    op.execute("ALTER TABLE session ADD COLUMN peak_viewers integer")


def downgrade() -> None:
    op.execute("ALTER TABLE session DROP COLUMN peak_viewers")
    op.execute("ALTER TABLE department DROP CONSTRAINT ck_department_max_publishers")
    op.execute("ALTER TABLE department DROP COLUMN max_publishers")
    op.execute("DROP TABLE playback_withdrawal")
