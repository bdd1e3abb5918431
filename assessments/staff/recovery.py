"""Recovery codes, of which salted hashes are kept: who reads the database finds none of them.

django-allauth would keep a seed that it can read again. Its row stays, so that the rest of it knows
what was used, with an empty list where it looks for codes of its own.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets

from allauth.mfa import signals
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest

KIND = Authenticator.Type.RECOVERY_CODES
COUNT, DIGITS = 10, 10
ROUNDS = 210_000
"""Of PBKDF2 with HMAC-SHA-512: OWASP ASVS 5.0, appendix C.2. One salt for the set: one is typed,
and is looked for among all."""
KEPT = "staff_recovery_codes"
"""In the session, encrypted, until they were shown."""


def make(user: User) -> tuple[Authenticator, list[str]]:
    """New codes in place of the old ones."""
    # Hashed before anything is locked: that takes a second, in which others write.
    made = [f"{secrets.randbelow(10**DIGITS):0{DIGITS}}" for _each in range(COUNT)]
    salt = secrets.token_hex(16)
    hashes = [_hash(code, salt) for code in made]
    data = {"salt": salt, "hashes": hashes, "migrated_codes": []}
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        Authenticator.objects.filter(user=user, type=KIND).delete()
        return Authenticator.objects.create(user=user, type=KIND, data=data), made


def give(request: HttpRequest, user: User) -> None:
    """Make new codes, to be shown once by :func:`taken`."""
    row, made = make(user)
    request.session[KEPT] = get_adapter().encrypt(json.dumps(made))
    signals.authenticator_added.send(
        sender=Authenticator, request=request, user=user, authenticator=row
    )


def taken(request: HttpRequest) -> list[str]:
    """The codes that were just made; nothing the second time."""
    kept = request.session.pop(KEPT, None)
    made: list[str] = json.loads(get_adapter().decrypt(kept)) if kept else []
    return made


def left(user: User) -> int:
    row = Authenticator.objects.filter(user=user, type=KIND).first()
    return len(row.data["hashes"]) if row else 0


def spend(user: User, typed: str) -> Authenticator | None:
    """The row of the codes, if this is one of them, which it is no more then."""
    code = "".join(typed.split())
    kept = Authenticator.objects.filter(user=user, type=KIND)
    known = kept.first()
    if known is None or len(code) != DIGITS:
        return None
    tried = _hash(code, known.data["salt"])
    with transaction.atomic():
        row = kept.select_for_update().first()
        if row is None:
            return None
        remaining = [each for each in row.data["hashes"] if not hmac.compare_digest(each, tried)]
        if len(remaining) == len(row.data["hashes"]):
            return None
        row.data["hashes"] = remaining
        row.save(update_fields=["data"])
        return row


def _hash(code: str, salt: str) -> str:
    return hashlib.pbkdf2_hmac("sha512", code.encode(), bytes.fromhex(salt), ROUNDS).hex()
