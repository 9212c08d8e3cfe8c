"""Each thing has one address, and what a request says of gzip is heard."""

import pytest

from ingest.hls import answers
from ingest.hls.names import NAME


@pytest.mark.parametrize(
    "name", ["init-1.mp4", "audio-init-900000000.mp4", "seg-0.m4s", "audio-seg-17.m4s", "part-0.0.m4s", "part-12.3.m4s"]
)
def test_a_name(name: str) -> None:
    assert NAME.fullmatch(name)


@pytest.mark.parametrize(
    "name",
    [
        "seg-01.m4s", "seg-1.mp4", "init-1.m4s", "init-00.mp4", "part-1.02.m4s", "part-01.2.m4s", "seg-1234567890.m4s",
        "seg-١.m4s", "seg-1.m4s\n", "seg-.m4s", "audio-audio-seg-1.m4s", "part-1.m4s", "seg-1.m4s/seg-1.m4s",
    ],
)  # fmt: skip
def test_another_spelling_is_no_name(name: str) -> None:
    assert NAME.fullmatch(name) is None


@pytest.mark.parametrize("said", ["gzip", "br, gzip", "gzip, br", "deflate,gzip;q=0.5", "GZIP", "gzip; q=1.0"])
def test_gzip_is_taken(said: str) -> None:
    assert answers.takes_gzip([(b"accept-encoding", said.encode())])


@pytest.mark.parametrize("said", ["", "br", "gzip;q=0", "br, gzip; q=0.000", "x-gzip-like", "identity"])
def test_gzip_is_not_taken(said: str) -> None:
    assert not answers.takes_gzip([(b"accept-encoding", said.encode())])


def test_what_was_waited_for_may_be_kept_for_a_second_and_no_other_playlist() -> None:
    said = {blocking: dict(answers.playlist(b"", gzip=False, blocking=blocking).headers) for blocking in (True, False)}
    assert said[True][b"cache-control"] == b"public, max-age=1"
    assert said[False][b"cache-control"] == b"no-cache"
