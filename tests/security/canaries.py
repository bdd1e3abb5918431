"""Unique strings, planted everywhere and searched for everywhere: in each form they may take,
through each wrapping they may be under."""

from __future__ import annotations

import base64
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

import pypdf

from assessments.codes import grouped


@dataclass(frozen=True)
class Canary:
    name: str
    content: bytes
    allowed: dict[str, str]
    """Places, as regular expressions, and why it may be there. Everywhere else is a leak."""

    def may_be(self, place: str) -> bool:
        return any(re.fullmatch(pattern, place) for pattern in self.allowed)

    def forms(self) -> set[bytes]:
        """How it may be written."""
        plain = self.content
        found = {plain, *in_base64(plain), plain.hex().encode(), plain.hex().upper().encode()}
        with suppress(UnicodeDecodeError):
            text = plain.decode()
            bare = text.replace("-", "")
            for each in {text, bare, text.lower(), bare.lower(), text.upper(), bare.upper()}:
                found |= {each.encode(), quote(each).encode(), escape(each).encode()}
                found |= in_base64(each.encode())
            if bare.isalnum():
                found |= {grouped(each).encode() for each in (bare, bare.lower())}
                found |= {grouped(bare).replace("-", " ").encode()}
        return {form for form in found if len(form) >= 7}


def in_base64(content: bytes) -> set[bytes]:
    """How the bytes look in the middle of a text in base64, at each of its three places."""
    found = set()
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + content)
        # What depends on the neighbours is cut off on both sides.
        inner = coded[(0, 2, 3)[shift] :].rstrip(b"=")
        found.add(inner[:-1] if (len(content) + shift) % 3 else inner)
    return {each.translate(table) for each in found for table in (None, _URL_SAFE)}


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def layers(place: str, content: bytes, depth: int = 4) -> Iterator[tuple[str, bytes]]:
    """A content, and whatever is packed in it."""
    yield place, content
    if depth == 0:
        return
    if content.startswith(b"\x1f\x8b"):
        yield from layers(place, gzip.decompress(content), depth - 1)
    elif content.startswith(b"PK\x03\x04") and zipfile.is_zipfile(io.BytesIO(content)):
        book = zipfile.ZipFile(io.BytesIO(content))
        for member in book.namelist():
            yield f"{place} name", member.encode()
            yield from layers(place, book.read(member), depth - 1)
    elif content.startswith(b"%PDF-") and len(content) > 9:
        yield from of_pdf(place, content)
    else:
        with suppress(zlib.error):
            if content[:1] == b"\x78":
                yield from layers(place, zlib.decompress(content), depth - 1)


def of_pdf(place: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """Every stream, decompressed; the text as one reads it; and what it says of itself."""
    reader = pypdf.PdfReader(io.BytesIO(content))
    for number in range(1, int(reader.trailer["/Size"])):
        with suppress(Exception):  # a free object, or a picture in a format of its own
            held = reader.get_object(pypdf.generic.IndirectObject(number, 0, reader))
            yield place, repr(held).encode()
            yield place, held.get_data()
    text = "".join(page.extract_text() for page in reader.pages)
    yield place, re.sub(r"\s+", " ", text).encode()
    yield place, re.sub(r"\s+", "", text).encode()
    yield f"{place} metadata", repr(dict(reader.metadata or {})).encode()
    if reader.xmp_metadata is not None:
        yield f"{place} metadata", reader.xmp_metadata.stream.get_data()


def leaks(canaries: list[Canary], traces: list[tuple[str, bytes]]) -> tuple[set[str], set[str]]:
    """What is where it may not be, and (to show that one would see it) what is where it may."""
    forms = [(canary, canary.forms()) for canary in canaries]
    wrong, right = set(), set()
    for place, content in gathered(traces).items():
        for canary, written in forms:
            if any(form in content for form in written):
                (right if canary.may_be(place) else wrong).add(f"{canary.name}: {place}")
    return wrong, right


def gathered(traces: list[tuple[str, bytes]]) -> dict[str, bytes]:
    """All that lies in a place, each content once."""
    found: dict[str, dict[bytes, None]] = {}
    for trace, whole in dict.fromkeys(traces):
        for place, content in layers(trace, whole):
            found.setdefault(place, {})[content] = None
    return {place: b"\0".join(contents) for place, contents in found.items()}
