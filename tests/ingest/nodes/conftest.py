"""A clip for browsers that publish, as WHIP's own tests have it."""

from tests.ingest.whip.conftest import clip

__all__ = ["clip"]
