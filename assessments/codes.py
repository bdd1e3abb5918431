"""Codes a person types: 32 signs that cannot be confused, read as they were meant.

A resume code opens one sitting and is known to its person alone; we keep its keyed hash.
An access code opens a cohort and is printed on the trainer's slide.
"""

import hashlib
import hmac
import secrets

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Digits and capitals without 0, 1, I and O: 5 bits a sign."""
RESUME_LENGTH = 16
"""80 bits: guessing one of a million sittings at 1,000 tries a second takes 38 million years."""
ACCESS_LENGTH = 8
HASH_BYTES = 16
MOST_SITTINGS = 12
"""Sittings that one resume code may open: a training and its follow-ups, several times over."""
GROUP = 4


class CodeError(ValueError):
    """What was typed cannot be a code."""


def new_code(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def grouped(code: str) -> str:
    """The code as it is shown: ``ABCD-EFGH-…``."""
    return "-".join(code[start : start + GROUP] for start in range(0, len(code), GROUP))


def normalised(typed: str, length: int) -> str:
    """The code that was meant by what was typed: any case, any spaces and hyphens.

    Raises :class:`CodeError` where it cannot be a code of that length.
    """
    code = "".join(sign for sign in typed.upper() if sign.isalnum())
    if len(code) != length or not set(code) <= set(ALPHABET):
        raise CodeError
    return code


def hashed(code: str, secret_key: str, place: int = 0) -> bytes:
    """The keyed hash that is kept of a resume code (HMAC-SHA-256, its first 128 bits).

    A code may open several sittings, one after the other. Each keeps the hash of the code and of
    its place in that row, from 0: without the code, nothing tells that they are one person's.
    """
    key = hashlib.sha256(b"readiness resume code" + secret_key.encode()).digest()
    message = code if place == 0 else f"{code}#{place}"
    return hmac.digest(key, message.encode("ascii"), "sha256")[:HASH_BYTES]
