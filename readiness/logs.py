"""What a log line must not hold: codes, answers, keys of sessions, tokens, names, addresses.

What is known by its form is taken out of every message. An exception quotes values in forms that
nobody can list (a row of the database, an answer that could not be read), so that its words are
kept only where they tell of the machine: a connection, a file, a setting.
"""

import logging
import re
import traceback
from collections.abc import Iterator

import django.db
from django.core.exceptions import ImproperlyConfigured

TELLING = (django.db.OperationalError, ImproperlyConfigured, ImportError, OSError, MemoryError)
"""Exceptions whose words tell of the machine and of nobody."""
HIDDEN = "…"

_SIGN = "[2-9A-HJ-NP-Z]"  # of our codes: see assessments.codes
_SECRETS = (
    # What follows the door of a group in a path, and the token by which one sets a password.
    (re.compile(r"(/c/)[^/\r\n]+"), rf"\1{HIDDEN}"),  # codes are taken with blanks too
    (re.compile(r"(/staff/welcome/[^/\s]+/)[^/\s]+"), rf"\1{HIDDEN}"),
    # What a database quotes: of a row, of a statement.
    (re.compile(r"\b(DETAIL|CONTEXT|LINE \d+|STATEMENT|HINT):.*", re.DOTALL), rf"\1: {HIDDEN}"),
    # The query of an address.
    (re.compile(r"(/\S*\?)\S+"), rf"\1{HIDDEN}"),
    # Who asked, as gunicorn says.
    (re.compile(r"\bip=\S+"), f"ip={HIDDEN}"),
    # A value named as what it is.
    (
        re.compile(
            r"(?i)\b((?:set-)?cookie|authorization|(?:\w*(?:session|csrf|token|password|secret))\w*)"
            r"(['\"]?\s*[:=]\s*)\S+"
        ),
        rf"\1\2{HIDDEN}",
    ),
    # Resume codes and group codes as they are shown; and a resume code in one piece.
    (re.compile(rf"(?i)\b{_SIGN}{{4}}(?:-{_SIGN}{{4}})+\b"), HIDDEN),
    (re.compile(rf"(?i)\b{_SIGN}{{4}}(?:\s{_SIGN}{{4}}){{3,}}\b"), HIDDEN),
    (re.compile(rf"(?i)\b{_SIGN}{{16}}\b"), HIDDEN),
    # Keys of sessions, tokens of forms, hashes, signed values.
    (re.compile(r"\b(?=\w*\d)(?=\w*[A-Za-z])\w{32,}\b"), HIDDEN),
    (re.compile(r"\b[\w-]{16,}:[\w-]{6}:[\w-]{27,}"), HIDDEN),
)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def scrubbed(text: str) -> str:
    """A message in one line, without what is known by its form to be secret or personal."""
    for secret, shown in _SECRETS:
        text = secret.sub(shown, text)
    return _CONTROLS.sub(lambda sign: f"\\x{ord(sign[0]):02x}", text)


def told(error: BaseException) -> str:
    """A traceback, cause before consequence: where, which kind, and the words that tell of the
    machine alone."""
    parts = []
    for each in reversed(list(chain(error))):
        kind = f"{type(each).__module__}.{type(each).__qualname__}"
        words = scrubbed(str(each).partition("\n")[0]) if isinstance(each, TELLING) else HIDDEN
        frames = "".join(traceback.format_tb(each.__traceback__))
        parts.append(f"Traceback (most recent call last):\n{frames}{kind}: {words}")
    return "\n\n".join(parts)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, and those it came from."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


class WithoutCodes(logging.Filter):
    """Puts every record that a handler writes into words that hold no secret and name nobody."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = scrubbed(record.getMessage())
        record.args = ()
        if record.exc_info and record.exc_info[1] is not None:
            record.exc_text = told(record.exc_info[1])  # what a formatter writes, if it is there
        if record.stack_info:
            record.stack_info = None
        return True
