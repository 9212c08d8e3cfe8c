"""Where the key is, in every way that people and encoders write an address."""

import pytest

from ingest.rtmp.address import app_and_key


@pytest.mark.parametrize(
    ("app", "name", "expected"),
    [
        ("live", "KEY", ("live", "KEY")),
        ("live/", "KEY", ("live", "KEY")),
        ("live", " KEY\n", ("live", "KEY")),
        ("live", "KEY?user=a&x=1", ("live", "KEY")),
        ("live?x=1", "KEY", ("live", "KEY")),
        ("live/KEY", "", ("live", "KEY")),  # one URL, no name
        ("live/KEY/", "", ("live", "KEY")),
        ("live/room/KEY", "", ("live/room", "KEY")),
        ("live/room", "KEY", ("live/room", "KEY")),
        ("live", "?key=KEY", ("live", "KEY")),
        ("live?key=KEY", "", ("live", "KEY")),
        ("live/other?key=KEY", "", ("live/other", "KEY")),
        ("live", "", ("live", "")),
        ("live/", "", ("live", "")),
        ("live?x=1", "", ("live", "")),
        ("KEY", "", ("", "KEY")),
        ("KEY?x=1", "", ("", "KEY")),
        ("live_main/_definst_", "KEY", ("live_main/_definst_", "KEY")),
        ("", "KEY", ("", "KEY")),
        ("live/KEY?x=1", "", ("live", "KEY")),
        ("live?tok/en=a/b", "KEY", ("live", "KEY")),
        ("", "", ("", "")),
        ("live", "/KEY/", ("live", "KEY")),
    ],
)
def test_app_and_key(app: str, name: str, expected: tuple[str, str]) -> None:
    assert app_and_key(app, name) == expected


def test_a_query_with_too_many_fields_is_no_key() -> None:
    assert app_and_key("live", "?" + "&".join(f"a{n}=1" for n in range(5000))) == ("live", "")
