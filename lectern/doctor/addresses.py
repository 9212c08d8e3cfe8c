"""The addresses that browsers use: https, or loopback for a machine of one's own."""

import ipaddress
from urllib.parse import urlsplit

from lectern.doctor.finding import Finding, bad, good
from lectern.settings import Settings


def public(settings: Settings) -> Finding:
    """Sign-ins need Secure cookies, cameras a secure context: both are https or loopback (W3C Secure Contexts, 3.1)."""
    named = {
        "LECTERN_API_PUBLIC_URL": settings.api.public_url,
        "LECTERN_API_INGEST_PUBLIC_URL": settings.api.ingest_public_url,
    }
    for variable, url in named.items():
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return bad(f"{url or 'nothing'} is no address", f"{variable}=https://your.name")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            return bad(
                f"{url} is neither https nor loopback: browsers neither keep the sign-in nor open a camera",
                f"put nginx in front (deploy/) and set {variable}=https://{parts.hostname}",
            )
    if not is_loopback(settings.api.host) and is_loopback(urlsplit(settings.api.public_url).hostname or ""):
        return bad(
            f"the API listens on {settings.api.host} but says it is at {settings.api.public_url}",
            "LECTERN_API_PUBLIC_URL must be the address that browsers use",
        )
    return good(settings.api.public_url)


def is_loopback(host: str) -> bool:
    """Whether a browser takes this host for its own machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
