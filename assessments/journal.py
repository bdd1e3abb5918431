"""The journal of what staff did: lines are added here, and by nothing else."""

from __future__ import annotations

from django.contrib.auth.models import User

from .models import Event


def record(action: Event.Action, actor: User | None, subject: object) -> None:
    """Keep what somebody of the staff did, in the transaction that does it.

    ``actor`` is None where a command did it. ``subject`` names what it was done to, never an
    answer nor a code of a person.
    """
    longest = Event._meta.get_field("subject").max_length
    Event.objects.create(actor=actor, action=action, subject=str(subject)[:longest])
