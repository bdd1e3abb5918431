"""Files that are there whole, on disk and readable by us alone, or not at all."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PART = ".part"
"""What a file that is not whole yet is called: its name, then this."""


class Locked(Exception):
    """Another process is at work there."""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keeps other processes out until it ends, however it ends. Raises :class:`Locked`."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise Locked from None
    try:
        yield
    finally:
        os.close(handle)


def create(path: Path) -> None:
    """An empty file, readable by us alone."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def settle(part: Path, path: Path) -> None:
    """Give a file that was written its name, once it is on disk."""
    _sync(part)
    part.replace(path)
    _sync(path.parent)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under another name and put it in its place, for readers never to see half."""
    part = path.with_name(path.name + PART)
    with suppress(FileNotFoundError):
        part.unlink()
    create(part)
    try:
        part.write_bytes(content)
        settle(part, path)
    except BaseException:
        with suppress(FileNotFoundError):
            part.unlink()
        raise


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def unreadable(refused: OSError) -> str:
    """Why a file could not be read or written, in words."""
    if refused.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "the disk is full"
    return (refused.strerror or str(refused)).lower()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
