"""Hostile values: what a scanner, a broken browser and a bored student send."""

from __future__ import annotations

import io
import json
import struct
import warnings
import zipfile
from collections.abc import Mapping

from hypothesis import strategies as st

MARK = "zq7fuzz"
"""Stands in every payload that must never come back as markup."""
PAYLOADS = (
    f"<script>{MARK}</script>",
    f"\"'><img src=x onerror={MARK}>",
    f"</textarea><svg/onload={MARK}>",
    f"<{MARK}",
    f"javascript:{MARK}",
    f"{{{{ {MARK} }}}}{{% load i18n %}}",
    f'=HYPERLINK("{MARK}")',
)
MARKUP = tuple(payload.encode() for payload in PAYLOADS if "<" in payload)
"""What no page may hold as it was sent: with its signs escaped, it is a text like any other."""
NASTY = (
    *PAYLOADS,
    "", " ", "\0", "a\0b", "\ud800", "\udfff\ud800", "\ufffe", "\u202e\u2066", "e\u0301" * 50,
    "\r\nSet-Cookie: a=b", "\n", "\r", "\u2028", "%00", "%0d%0aX: y", "%ff%fe", "%", "%zz",
    "../../../../etc/passwd", "..\\..\\windows", "/etc/passwd\0.pdf", "file:///etc/passwd", "~",
    "' OR 1=1 --", "\"; DROP TABLE assessments_sitting; --", "1' AND SLEEP(5) --", "$(id)", "`id`",
    "//evil.example/", "https://evil.example/", "///evil.example", "/\\evil.example", "http:evil",
    "0", "-1", "-0", "1e309", "NaN", "Infinity", "1_000", "٣", "²", "½", "0x10", "１", "+1", "1.0",
    str(2**31), str(2**63 - 1), str(2**63), str(2**64), "9" * 400, "9" * 5000, "-" + "9" * 30,
    "true", "null", "None", "[]", "{}", "on", "off", "a", "b", "e", "keep", "back", "later",
    "review", "fr", "en", "xx", "fr-FR" * 50, "2001-02-30", "9999-12-31", "10000-01-01",
    "0000-00-00", "2222-2222-2222-2222", "2222-2222", "x" * 5000, "é" * 3000, "🧨" * 200,
)  # fmt: skip

ODD = (
    "charset=utf-7", "charset=hex", "charset=unicode_escape", "charset=nosuch", "x*=nosuch''y",
    "x*=a; x*0=b", "boundary=edge", 'boundary="', "q=9" * 9, "=", ";;",
)  # fmt: skip
"""What may be said after a type of content, and is read in ways of its own."""
NAMED = st.integers(0, len(NASTY) - 1).map(NASTY.__getitem__)
TEXTS = st.one_of(
    NAMED,
    NAMED,
    st.text(max_size=40),
    st.text(st.characters(categories=["Cc", "Cf", "Cs", "Co", "Zl", "Zp", "Mn"]), max_size=12),
    st.tuples(NAMED, NAMED).map("".join),
    st.integers().map(str),
    st.floats().map(str),
)
BYTES = st.one_of(
    TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.binary(max_size=200),
    st.sampled_from([b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80", b"%\xff", b"\0" * 64]),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
).map(lambda value: json.dumps(value).encode())


NUMBERS = ("0", "-1", "\0", "٣", "²", str(2**31), str(2**63), "9" * 400, "9" * 5000)
"""Where a number is read."""


def one_line(text: str) -> str:
    """As the server's parser of headers lets it through: bytes of Latin-1, without line ends."""
    sent = text.encode("utf-8", "surrogatepass").decode("latin-1")
    return sent.replace("\r", "").replace("\n", "").replace("\0", "")[:8000]


HEADER = TEXTS.map(one_line)
TYPED = st.tuples(st.sampled_from(["a/b", "*/*", "application/json"]), st.sampled_from(ODD)).map(
    "; ".join
)


def escaped(text: str) -> str:
    """As a cookie writes in octal what no header may hold, for Django to read; as long as a key."""
    sent = text.encode("utf-8", "surrogatepass").ljust(32, b"a")[:2000]
    return '"' + "".join(f"\\{byte:03o}" for byte in sent) + '"'


COOKIE = HEADER | TEXTS.map(escaped)


def urlencoded(pairs: list[tuple[bytes, bytes]]) -> bytes:
    return b"&".join(quoted(name) + b"=" + quoted(value) for name, value in pairs)


def quoted(value: bytes) -> bytes:
    return b"".join(
        bytes([byte]) if chr(byte).isalnum() and byte < 128 else b"%%%02X" % byte for byte in value
    )


def multipart(
    pairs: list[tuple[bytes, bytes]], files: list[tuple[bytes, bytes, bytes]], boundary: bytes
) -> bytes:
    parts = [
        b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (boundary, *pair)
        for pair in pairs
    ] + [
        b'--%s\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n%s\r\n" % (boundary, *file)
        for file in files
    ]
    return b"".join(parts) + b"--%s--\r\n" % boundary


# --- Files ----------------------------------------------------------------------------------------

ENTRIES = [
    "instrument.yaml", "scenarios/a.yaml", "self_ratings.yaml", "strategy.yaml", "README.md",
    "sources/../a.yaml", "/etc/passwd", "C:\\a.yaml", "a//b.yaml", ".", "..", "a\0b.yaml",
    "scenarios/", "x" * 300 + ".yaml", "INSTRUMENT.YAML", "con.yaml", "é\u0301.yaml",
]  # fmt: skip
NAMES = st.integers(0, len(ENTRIES) - 1).map(ENTRIES.__getitem__) | st.text(min_size=1, max_size=20)


PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


@st.composite
def archives(draw: st.DrawFn, files: Mapping[str, bytes]) -> bytes:
    """A ZIP archive with hostile names and contents, then perhaps damaged somewhere."""
    made = io.BytesIO()
    entries = draw(st.lists(st.tuples(NAMES, damaged(files)), max_size=4))
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in entries:
            entry = zipfile.ZipInfo("x")
            entry.filename = name.encode("utf-8", "replace").decode()
            entry.compress_type = draw(st.sampled_from(PACKINGS))
            entry.external_attr = draw(st.sampled_from([0, 0o120777 << 16, 0o100644 << 16, 0x10]))
            with warnings.catch_warnings(action="ignore"):  # of a name twice: it is meant
                archive.writestr(entry, content)
    packed = bytearray(made.getvalue())
    for _blow in range(draw(st.integers(0, 3))):
        if packed:
            at = draw(st.integers(0, len(packed) - 1))
            new = draw(st.binary(min_size=1, max_size=4) | st.just(struct.pack("<I", 2**32 - 1)))
            packed[at : at + len(new)] = new
    cut = draw(st.none() | st.integers(0, len(packed)))
    return bytes(packed[:cut])


SNIPPETS = (
    b"- ", b": ", b"? ", b"&a ", b"*a", b"<<: *a", b"!!python/object/apply:os.system [id]",
    b"!!set", b"!!binary aGk=", b"---\n", b"...\n", b"%YAML 9.9\n",
    b"|\n", b">-\n", b"\t", b"{", b"}", b"[",
    b"]", b'"', b"'", b"#", b"null", b"~", b"yes", b"0o17", b"1e999", b".nan", b"2001-99-99", b"\0",
    b"\xff", b"\xef\xbb\xbf", b"\xe2\x80\xae", b"-" * 50, b"[" * 40, b"a: " * 30, b"9" * 400,
    b"x" * 5000, b"\n" * 50, b"      ", b"code: ", b"fr: ", b"credit: 1\n", b"version: ",
)  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn, files: Mapping[str, bytes]) -> bytes:
    """A file of an instrument with something put in, taken out, doubled or turned over."""
    text = files[draw(st.sampled_from(sorted(files)))]
    start = draw(st.integers(0, max(0, len(text) - 1)))
    if draw(st.booleans()):  # a piece is read sooner than the whole
        text = text[start : start + draw(st.integers(0, 1500))]
    for _blow in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        length = draw(st.integers(0, 60))
        piece = draw(st.sampled_from(SNIPPETS) | BYTES | st.just(text[at : at + length]))
        text = text[:at] + piece + text[at + draw(st.sampled_from([0, length])) :]
    return text


LEAVES = st.sampled_from([
    "a", "A1", "fr: b", "'x'", "\"\\u0000\"", "\"\\uD800\"", "1", "-1", "1.5", "true", "null", "[]",
    "{}", "2026-01-01", "!!str 1", "&x 1", "*x", "|", "code", "\"<b>\"", "99999999999999999999",
])  # fmt: skip
KEYS = st.sampled_from([
    "code", "version", "title", "fr", "en", "forms", "scenarios", "self_ratings", "strategy",
    "sources", "next_steps", "domains", "cuts", "languages", "options", "credit", "x", "? [a]", "1",
])  # fmt: skip


@st.composite
def documents(draw: st.DrawFn, depth: int = 0) -> str:
    """YAML that is nearly, or really, well formed, with the words of an instrument."""
    kind = draw(st.sampled_from(["leaf", "map", "list", "map"])) if depth < 4 else "leaf"
    indent = "  " * depth
    if kind == "leaf":
        return " " + draw(LEAVES) + "\n"
    count = draw(st.integers(0, 3))
    lines = ["\n"]
    for _each in range(count):
        inner = draw(documents(depth + 1))
        lines.append(indent + (f"{draw(KEYS)}:" if kind == "map" else "-") + inner)
    return "".join(lines)


SIGNS = st.text(st.sampled_from("-:?[]{}|>&*!#%@`'\",\n ab1\t~"), max_size=40)
"""YAML's own signs, in no order."""
