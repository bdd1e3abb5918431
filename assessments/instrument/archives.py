"""An uploaded instrument, a ZIP archive of its folder or one YAML file, as the contents of files.

Nothing is written to disk, and nothing an archive says of itself is believed: names, sizes and
numbers are checked before an entry is opened, and again while it is read.
"""

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath

from .loading import MAX_BYTES, InstrumentError, is_yaml
from .rules import WHOLE, Finding

MAX_UPLOAD = 5_000_000
"""The largest file that is taken, in bytes."""
MAX_OPENED = 5_000_000
"""How many bytes the files of an archive may have together; ours have a twentieth of it."""
MAX_ENTRIES = 300
"""How many files and folders an archive may hold."""
MAX_RATIO = 100
"""How many times smaller than itself a file may be stored: YAML is stored some five times so."""
SMALL = 10_000
"""Bytes below which the ratio says nothing."""
MAX_NAME = 200
"""Characters of the name of a file, with its folders."""
SHOWN = 80
"""Characters of a name that a message shows."""
CHUNK = 64 * 1024
ZIP = b"PK"


def opened(upload: bytes) -> dict[str, bytes]:
    """What :func:`~.loading.loads` takes, out of an uploaded file.

    A single YAML file is the whole instrument. Of an archive, the folder that holds
    ``instrument.yaml`` is taken, at the top or further down; files of other kinds are left
    alone. Raises :class:`InstrumentError`, and nothing else, whatever the upload holds.
    """
    if len(upload) > MAX_UPLOAD:
        raise refusal("too-large", limit=MAX_UPLOAD)
    if not upload.startswith(ZIP):
        if b"\0" in upload[:CHUNK]:
            raise refusal("archive")
        return {WHOLE: upload}
    try:
        with zipfile.ZipFile(io.BytesIO(upload)) as archive:
            return under_its_top(contents(archive))
    except InstrumentError:
        raise
    except (*DAMAGED, OverflowError, MemoryError):
        raise refusal("archive") from None


METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Ways of packing of which zipfile opens no more at a time than is asked for."""
DAMAGED = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    ValueError,
    LookupError,
    EOFError,
    OSError,
)
"""What reading a damaged or doctored archive may raise."""


def refusal(rule: str, file: str = "", **params: object) -> InstrumentError:
    return InstrumentError((Finding(file, "", "", rule, params),))


def contents(archive: zipfile.ZipFile) -> dict[str, bytes]:
    """The YAML files of an archive whose every entry is harmless."""
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise refusal("archive-entries", limit=MAX_ENTRIES)
    if findings := tuple(dangers(entries)):
        raise InstrumentError(findings)
    if sum(entry.file_size for entry in entries) > MAX_OPENED:
        raise refusal("archive-large", limit=MAX_OPENED)
    files: dict[str, bytes] = {}
    for entry in entries:
        if not entry.is_dir() and is_yaml(entry.filename):
            files[entry.filename] = content(archive, entry)
            if sum(map(len, files.values())) > MAX_OPENED:
                raise refusal("archive-large", limit=MAX_OPENED)
    return files


def dangers(entries: list[zipfile.ZipInfo]) -> Iterator[Finding]:
    """What an archive's own list says against it."""
    names: set[str] = set()
    for entry in entries:
        for rule, breached, params in (
            ("archive-path", leads_out(entry), {}),
            ("archive-name", is_obscure(entry.filename), {"limit": MAX_NAME}),
            ("archive-link", is_special(entry), {}),
            ("archive-encrypted", bool(entry.flag_bits & 0x1), {}),
            ("archive-method", entry.compress_type not in METHODS, {}),
            ("archive-twice", entry.filename.casefold() in names, {}),
            (
                "archive-ratio",
                entry.file_size > max(SMALL, MAX_RATIO * entry.compress_size),
                {"limit": MAX_RATIO},
            ),
        ):
            if breached:
                yield Finding(shown(entry.filename), "", "", rule, params)
        names.add(entry.filename.casefold())


def leads_out(entry: zipfile.ZipInfo) -> bool:
    """Whether a name is absolute, climbs, or would be read otherwise on another system.

    ``orig_filename`` is the name as stored: zipfile cuts it at a zero byte.
    """
    names = (entry.filename, entry.orig_filename)
    parts = entry.filename.removesuffix("/").split("/")
    return (
        any(mark in name for name in names for mark in ("\\", "\0", ":"))
        or not entry.filename.strip("/")
        or any(part in ("", ".", "..") for part in parts)
    )


def is_obscure(name: str) -> bool:
    """Whether a name cannot be shown as it is: too long, or with characters nobody sees."""
    return len(name) > MAX_NAME or not name.isprintable()


def is_special(entry: zipfile.ZipInfo) -> bool:
    """Whether the entry is a symbolic link, a device or the like, by its Unix mode."""
    kind = stat.S_IFMT(entry.external_attr >> 16)
    return kind not in (0, stat.S_IFREG, stat.S_IFDIR)


def content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """An entry, read no further than it may be long: its true size is known by reading it."""
    name = shown(entry.filename)
    read = bytearray()
    try:
        with archive.open(entry) as file:
            while chunk := file.read(CHUNK):
                read += chunk
                if len(read) > MAX_BYTES:
                    raise refusal("too-large", name, limit=MAX_BYTES)
    except InstrumentError:
        raise
    except DAMAGED:
        raise refusal("archive-damaged", name) from None
    if len(read) != entry.file_size:
        raise refusal("archive-damaged", name)
    return bytes(read)


def under_its_top(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files by their names in the folder that holds ``instrument.yaml``, if one does."""
    tops = [PurePosixPath(name).parent for name in files if PurePosixPath(name).name == WHOLE]
    if not tops:
        return files
    top = min(tops, key=lambda folder: (len(folder.parts), folder))
    prefix = "" if top == PurePosixPath() else f"{top}/"
    return {name.removeprefix(prefix): content for name, content in files.items()}


def shown(name: str) -> str:
    """A name that somebody else chose, as a message can show it."""
    seen = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in name)
    return f"{seen[:SHOWN]}…" if len(seen) > SHOWN else seen
