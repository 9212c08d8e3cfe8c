"""The audit trail in one call each: entering, sealing, verifying."""

import psycopg

from storage.catalogue.audit_chain import ChainReport, verify_chain
from storage.catalogue.audit_sealer import seal
from storage.catalogue.tables.audit_seal import AuditSeal
from storage.catalogue.transaction import Catalogue
from tests.storage.catalogue.builders import NOON, SYSTEM

Owner = psycopg.Connection[tuple[object, ...]]


async def enter(catalogue: Catalogue, count: int, action: str = "signed_in") -> None:
    for number in range(count):
        async with catalogue.transaction() as tx:
            await tx.audit(SYSTEM, action, "account", str(number), 班级="高一", number=number)


async def sealed(catalogue: Catalogue) -> AuditSeal | None:
    async with catalogue.transaction() as tx:
        return await seal(tx, NOON)


async def verified(catalogue: Catalogue, anchors: dict[int, bytes] | None = None) -> ChainReport:
    async with catalogue.transaction() as tx:
        return await verify_chain(tx, anchors)
