"""Where an encoder says its stream key: the ways of writing one address, brought to (app, key).

Rule: people paste. The key may be the stream's name, the last step of the app's path (an encoder that asks for one URL
and leaves the name empty), all of the app (an address without our `live`), or `key=` in a query behind either; any
other query, slashes and spaces around are not part of it.
"""

from urllib.parse import parse_qs

OUR_APP = "live"


def app_and_key(app: str, name: str) -> tuple[str, str]:
    """(app, key) of a connect's `app` and a publish's name; the key is empty where there is none."""
    path, _, app_query = app.strip().partition("?")
    path = path.strip("/ ")
    key, _, name_query = name.strip().partition("?")
    key = key.strip("/ ") or _key_of(name_query) or _key_of(app_query)
    if not key and path != OUR_APP:
        path, _, key = path.rpartition("/")
    return path.strip("/ "), key


def _key_of(query: str) -> str:
    try:
        return parse_qs(query).get("key", [""])[0].strip("/ ")
    except ValueError:  # more fields than parse_qs takes
        return ""
