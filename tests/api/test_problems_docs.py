"""docs/api.md tells the errors that there are, and addresses that there are."""

import re
from pathlib import Path

from api.problems import STATUS
from api.problems_docs import table
from domain.refusals import RefusalCode
from tests.api.test_contract import DOCUMENT

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"


def test_every_code_has_its_status() -> None:
    assert STATUS.keys() == set(RefusalCode)


def test_the_page_has_the_table_as_the_code_has_it() -> None:
    """When this fails, put what `python -m api.problems_docs` prints at the end of the page."""
    assert PAGE.read_text("utf-8").endswith("\n\n" + table())


def test_the_page_names_operations_that_there_are() -> None:
    """Its addresses are the document's."""
    told = set(re.findall(r'\$LECTERN(/api/v1/[^"?]*)', PAGE.read_text("utf-8")))
    assert len(told) > 4
    served = {re.sub(r"\{\w+\}", "$", path) for path in DOCUMENT["paths"]}
    assert {re.sub(r"\$\w+", "$", path) for path in told} <= served
