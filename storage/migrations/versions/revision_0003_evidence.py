"""What cuts kept from the audience has a table of its own.

Revision 0003, after 0002. Evidence stored before has an entry in the audit trail and its object, and no row.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE evidence_reel (
            id uuid NOT NULL CONSTRAINT pk_evidence_reel PRIMARY KEY,
            recording_id uuid NOT NULL CONSTRAINT fk_evidence_reel_recording_id_recording REFERENCES recording (id),
            take_id uuid NOT NULL CONSTRAINT fk_evidence_reel_take_id_take REFERENCES take (id),
            init_key text NOT NULL,
            object_key text NOT NULL CONSTRAINT uq_evidence_reel_object_key UNIQUE,
            bytes bigint NOT NULL,
            sha256 bytea NOT NULL,
            duration_ms integer NOT NULL,
            starts_at timestamp with time zone NOT NULL,
            segments jsonb NOT NULL,
            stored_at timestamp with time zone NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX ix_evidence_reel_recording_id_starts_at ON evidence_reel (recording_id, starts_at)")


def downgrade() -> None:
    op.execute("DROP TABLE evidence_reel")
