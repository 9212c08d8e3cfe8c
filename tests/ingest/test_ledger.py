"""What cannot be written, and what is written instead."""

from dataclasses import replace

import pytest

from ingest.ledger import TRIES, Ledger
from ingest.settings import IngestSettings
from storage.catalogue.faults import UnkeepableValue
from storage.catalogue.transaction import Catalogue, Transaction

pytestmark = pytest.mark.anyio


async def test_what_fails_is_tried_again_and_then_less_is_said(settings: IngestSettings, catalogue: Catalogue) -> None:
    quick = replace(settings, retry_first_seconds=0.01, retry_longest_seconds=0.01)
    ledger, said, tries = Ledger(quick, catalogue), list[str](), list[str]()

    async def fails_once(_: Transaction) -> None:
        tries.append("once")
        if tries.count("once") == 1:
            raise UnkeepableValue("as nobody foresaw")
        said.append("at the second try")

    async def never(_: Transaction) -> None:
        tries.append("never")
        raise ZeroDivisionError

    async def less(_: Transaction) -> None:
        said.append("less")

    ledger.start()
    ledger.put("once", fails_once)
    ledger.put("never", never, less)
    ledger.put("nothing", never)
    ledger.put("last", less)
    await ledger.drain(5)
    await ledger.stop()
    assert said == ["at the second try", "less", "less"]
    assert tries.count("never") == 2 * TRIES
