"""ETag and If-Match (RFC 9110, 8.8.3 and 13.1.1) over the rows' version numbers.

What has a version is changed only by who has seen it: without If-Match the answer is 428, with an old one 412. Who may
not change it at all is told so first (403), whatever they sent: so a route only takes the header along, and it is
judged on the locked row, after the permission.
"""

import re
from dataclasses import dataclass
from typing import Any

from litestar import Request

from domain.refusals import Refusal, RefusalCode
from storage.catalogue.rows import require_version
from storage.catalogue.tables.base import Table

_ETAG = re.compile(r'(?:W/)?"(\d{1,9})"')


def etag(version: int) -> dict[str, str]:
    """The header that tells a thing's version."""
    return {"ETag": f'"{version}"'}


@dataclass(frozen=True)
class Seen:
    """What the caller says to have seen: the If-Match header as it was sent, or None."""

    header: str | None

    def require(self, row: Table) -> None:
        """Refuses unless the locked `row` is what was seen: precondition_required, invalid_input, stale_version."""
        if self.header is None:
            raise Refusal(RefusalCode.precondition_required, header="If-Match")
        if (found := _ETAG.fullmatch(self.header.strip())) is None:
            raise Refusal(RefusalCode.invalid_input, field="If-Match")
        require_version(row, int(found.group(1)))


def seen(request: Request[Any, Any, Any]) -> Seen:
    """What this request's If-Match says."""
    return Seen(request.headers.get("if-match"))
