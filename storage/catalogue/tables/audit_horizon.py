"""The sealer's note to its next run: the entries up to `entry` belong to transactions older than `transaction_id`.

One row. When no older transaction runs any more, every one of those ids is settled: committed, or never to appear.
"""

from sqlalchemy import BigInteger, CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.tables.base import Table


class AuditHorizon(Table):
    __tablename__ = "audit_horizon"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry: Mapped[int] = mapped_column(BigInteger)
    transaction_id: Mapped[int] = mapped_column(BigInteger)
