"""Reads a WHIP offer (RFC 9725, RFC 8866, RFC 9429) into what is needed of it: transport, and one section a kind.

Rule: what cannot be read is a BadOffer with a sentence for its sender; what is read but cannot be taken is for
`choice.py` to say.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

MAX_SECTIONS = 16
MAX_LINES = 4000
_CODEC = re.compile(r"(\d{1,3}) ([A-Za-z0-9._+-]{1,40})/(\d{1,9})(?:/(\d{1,2}))?")
_UFRAG = re.compile(r"[A-Za-z0-9+/=_-]{4,256}")
_PASSWORD = re.compile(r"[A-Za-z0-9+/=_-]{22,256}")
_TOKEN = re.compile(r"[!#-'*+.0-9A-Z^-~-]{1,64}")
_SETUPS = ("actpass", "active", "passive")
_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")


class BadOffer(ValueError):  # noqa: N818 - named as what it says of the offer
    """The offer breaks the rules; its text says which, for the client."""


@dataclass(frozen=True, slots=True)
class Codec:
    """One payload type. `parameters` are fmtp's, names in small letters; `feedback` as after `a=rtcp-fb:PT`."""

    payload_type: int
    name: str
    rate: int
    parameters: dict[str, str]
    feedback: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One `m=`. `ssrcs` are as named by the offer, a retransmission's after its original; often there is none."""

    kind: str
    mid: str
    protocol: str
    formats: tuple[str, ...]
    direction: str
    codecs: tuple[Codec, ...]
    extensions: dict[str, int]
    ssrcs: tuple[int, ...]
    rtcp_mux: bool
    reduced_size: bool
    rejected: bool

    @property
    def sends(self) -> bool:
        return self.direction in ("sendrecv", "sendonly") and not self.rejected


@dataclass(frozen=True, slots=True)
class Fragment:
    """ICE of one side: what an offer and a trickled fragment (RFC 8840) have in common."""

    username: str
    password: str = field(repr=False)
    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """`fingerprints` are (algorithm, value); `setup` the DTLS role offered."""

    sections: tuple[Section, ...]
    bundle: tuple[str, ...]
    ice: Fragment
    ice_lite: bool
    fingerprints: tuple[tuple[str, str], ...]
    setup: str


class _Block:
    """The lines of the session or of one media section: attributes by name, in order."""

    def __init__(self, media: str = "") -> None:
        self.media = media
        self._attributes: dict[str, list[str]] = {}

    def add(self, name: str, value: str) -> None:
        self._attributes.setdefault(name, []).append(value)

    def all(self, name: str) -> list[str]:
        return self._attributes.get(name, [])

    def first(self, name: str) -> str | None:
        values = self.all(name)
        return values[0] if values else None

    def has(self, name: str) -> bool:
        return name in self._attributes


def read_offer(text: str) -> Offer:
    """Raises BadOffer."""
    if not text.startswith("v=0"):
        raise BadOffer("The offer does not begin with v=0.")
    session, *blocks = _blocks(text)
    if not blocks:
        raise BadOffer("The offer has no media section.")
    sections = tuple(_section(session, block) for block in blocks)
    mids = [section.mid for section in sections]
    if len(set(mids)) != len(mids):
        raise BadOffer("Two media sections have the same mid.")
    bundle = next((g.split()[1:] for g in session.all("group") if g.split()[:1] == ["BUNDLE"]), [])
    lead = blocks[mids.index(bundle[0])] if bundle and bundle[0] in mids else blocks[0]
    prints = [tuple(value.split(None, 1)) for value in lead.all("fingerprint") or session.all("fingerprint")]
    setup = lead.first("setup") or session.first("setup") or "actpass"
    if not prints or any(len(one) != 2 for one in prints):
        raise BadOffer("The offer has no fingerprint of a certificate.")
    if setup not in _SETUPS:
        raise BadOffer(f"a=setup:{_shown(setup)} is no role that an offer can have.")
    return Offer(
        sections,
        tuple(bundle),
        _fragment(session, lead, [session, *blocks]),
        session.has("ice-lite"),
        tuple((algorithm.lower(), value) for algorithm, value in prints),
        setup,
    )


def read_fragment(text: str) -> Fragment:
    """A trickled fragment (RFC 8840 §4.4). Raises BadOffer."""
    session, *blocks = _blocks(text)
    return _fragment(session, blocks[0] if blocks else session, [session, *blocks])


def _blocks(text: str) -> list[_Block]:
    blocks = [_Block()]
    lines = text.splitlines()
    if len(lines) > MAX_LINES:
        raise BadOffer(f"The description has more than {MAX_LINES} lines.")
    for line in lines:
        if not line:
            continue
        if line[1:2] != "=":
            raise BadOffer(f"This is no line of a session description: {_shown(line)}")
        if line[0] == "m":
            blocks.append(_Block(line[2:]))
        elif line[0] == "a":
            name, _, value = line[2:].partition(":")
            blocks[-1].add(name.strip(), value.strip())
    if len(blocks) > MAX_SECTIONS + 1:
        raise BadOffer(f"The description has more than {MAX_SECTIONS} media sections.")
    return blocks


def _fragment(session: _Block, lead: _Block, all_blocks: Iterable[_Block]) -> Fragment:
    username = lead.first("ice-ufrag") or session.first("ice-ufrag") or ""
    password = lead.first("ice-pwd") or session.first("ice-pwd") or ""
    if not _UFRAG.fullmatch(username) or not _PASSWORD.fullmatch(password):
        raise BadOffer("The ICE user name fragment or password is missing or cannot be used.")
    candidates = [value for block in all_blocks for value in block.all("candidate")]
    return Fragment(username, password, tuple(dict.fromkeys(candidates))[:64])


def _section(session: _Block, block: _Block) -> Section:
    pieces = block.media.split()
    if len(pieces) < 4 or not pieces[1].partition("/")[0].isdigit():
        raise BadOffer(f"This is no media section: m={_shown(block.media)}")
    kind, port, protocol, *formats = pieces
    mid = block.first("mid") or ""
    if not _TOKEN.fullmatch(mid):
        raise BadOffer("A media section has no mid.")
    directions = [name for name in _DIRECTIONS if block.has(name)] or [n for n in _DIRECTIONS if session.has(n)]
    return Section(
        kind=kind,
        mid=mid,
        protocol=protocol,
        formats=tuple(formats),
        direction=directions[0] if directions else "sendrecv",
        codecs=_codecs(block, formats) if kind in ("audio", "video") else (),
        extensions=_extensions(session, block),
        ssrcs=_ssrcs(block),
        rtcp_mux=block.has("rtcp-mux"),
        reduced_size=block.has("rtcp-rsize"),
        rejected=port == "0" and not block.has("bundle-only"),
    )


def _codecs(block: _Block, formats: list[str]) -> tuple[Codec, ...]:
    """The section's codecs in the order of its formats, which is the sender's preference."""
    named: dict[int, tuple[str, int]] = {}
    for value in block.all("rtpmap"):
        match = _CODEC.fullmatch(value)
        if match and int(match[1]) < 128:
            named[int(match[1])] = (match[2].lower(), int(match[3]))
    codecs = []
    for one in formats:
        number = int(one) if one.isascii() and one.isdigit() and len(one) < 4 else -1
        if number in named:
            name, rate = named[number]
            feedback = [v for pt, _, v in (f.partition(" ") for f in block.all("rtcp-fb")) if pt in (one, "*")]
            codecs.append(Codec(number, name, rate, _parameters(block, one), tuple(feedback)))
    return tuple(codecs)


def _parameters(block: _Block, payload_type: str) -> dict[str, str]:
    for value in block.all("fmtp"):
        number, _, text = value.partition(" ")
        if number == payload_type:
            pairs = (one.partition("=") for one in text.split(";"))
            return {name.strip().lower(): value.strip() for name, _, value in pairs if name.strip()}
    return {}


def _extensions(session: _Block, block: _Block) -> dict[str, int]:
    """Header extensions by URI (RFC 8285 §5)."""
    found: dict[str, int] = {}
    for value in [*session.all("extmap"), *block.all("extmap")]:
        number, _, rest = value.partition(" ")
        number = number.partition("/")[0]
        if number.isascii() and number.isdigit() and 0 < len(number) < 4 and 1 <= int(number) <= 255 and rest:
            found[rest.split()[0]] = int(number)
    return found


def _ssrcs(block: _Block) -> tuple[int, ...]:
    """The first original and its retransmission (`ssrc-group:FID`), or what `a=ssrc` names."""
    for value in block.all("ssrc-group"):
        semantics, _, named = value.partition(" ")
        numbers = named.split()
        if semantics == "FID" and numbers and all(_is_ssrc(one) for one in numbers):
            return tuple(int(one) for one in numbers)
    names = dict.fromkeys(value.split()[0] for value in block.all("ssrc") if value)
    return tuple(int(one) for one in names if _is_ssrc(one))


def _is_ssrc(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10 and int(text) < 1 << 32


def _shown(text: str) -> str:
    """A client's text in an answer to it: short, and printable."""
    return "".join(c if c.isprintable() else "?" for c in text[:80])
