"""Accounts of the staff: whatever happens to one, with its line in the journal.

Nobody sees or chooses somebody else's password: whoever looks after accounts makes a link that
lets its reader choose one, once, within a day.
"""

from __future__ import annotations

from collections.abc import Iterable

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.contrib.auth.tokens import default_token_generator
from django.db import transaction
from django.db.models import QuerySet
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from . import journal, roles
from .models import Event, StaffSession

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
"""What is a second factor; recovery codes stand in for one, and are nothing by themselves."""

TOLD = (
    Event.Action.SIGNED_IN,
    Event.Action.PASSWORD_RESET,
    Event.Action.PASSWORD_CHANGED,
    Event.Action.FACTOR_ADDED,
    Event.Action.FACTOR_REMOVED,
    Event.Action.FACTORS_RESET,
    Event.Action.IDENTITY_LINKED,
    Event.Action.IDENTITY_UNLINKED,
    Event.Action.SESSIONS_ENDED,
)
"""What lets somebody see that another has been using their account, or could."""


def has_second_factor(user: User) -> bool:
    return Authenticator.objects.filter(user=user, type__in=FACTORS).exists()


def has_passkey(user: User) -> bool:
    return Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).exists()


def must_have_second_factor(user: User) -> bool:
    """Everybody where the operator requires it; over https, whoever can give rights anyway."""
    return settings.SECOND_FACTOR == "required" or (settings.HTTPS and looks_after_accounts(user))


def looks_after_accounts(user: User) -> bool:
    return user.has_perm("auth.change_user")


def may_touch(actor: User, user: User) -> bool:
    """A superuser is touched by superusers alone."""
    return looks_after_accounts(actor) and (actor.is_superuser or not user.is_superuser)


@transaction.atomic
def create(user: User, actor: User | None) -> None:
    """Keep a new account: without a role it may do nothing, without a link not sign in."""
    user.is_staff = user.is_superuser = False
    user.set_unusable_password()
    user.save()
    journal.record(Event.Action.ACCOUNT_CREATED, actor, user)


@transaction.atomic
def give_roles(user: User, groups: Iterable[Group], actor: User | None) -> None:
    """These roles and no others. Somebody without any does not get in."""
    wanted = {group for group in groups if group.name in roles.PERMISSIONS}
    held = set(user.groups.all())
    user.groups.set(wanted)
    user.user_permissions.clear()
    user.is_staff = user.is_superuser or bool(wanted)
    user.save(update_fields=["is_staff"])
    for action, changed in (
        (Event.Action.ROLE_GIVEN, wanted - held),
        (Event.Action.ROLE_TAKEN, held - wanted),
    ):
        for group in sorted(changed, key=str):
            journal.record(action, actor, f"{user} – {group}", user)


@transaction.atomic
def change(user: User, actor: User | None, *, was_active: bool) -> None:
    """Keep the names of an account, and whether it is active: deactivated, it is out at once."""
    user.save()
    if user.is_active != was_active:
        StaffSession.objects.filter(user=user).delete()
        closed, reopened = Event.Action.ACCOUNT_CLOSED, Event.Action.ACCOUNT_REOPENED
        journal.record(reopened if user.is_active else closed, actor, user)
    else:
        journal.record(Event.Action.ACCOUNT_CHANGED, actor, user)


@transaction.atomic
def reset_password(user: User, actor: User | None) -> tuple[str, str]:
    """Take the password away, which ends every session, and let a new one be chosen.

    Gives the two parts of the link's address. It is good once, for ``PASSWORD_RESET_TIMEOUT``.
    """
    user.set_unusable_password()
    user.save(update_fields=["password"])
    StaffSession.objects.filter(user=user).delete()
    journal.record(Event.Action.PASSWORD_RESET, actor, user)
    return urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)


@transaction.atomic
def reset_second_factors(user: User, actor: User | None) -> int:
    """Take every second factor away, recovery codes too: they were lost. How many there were."""
    _all, kinds = Authenticator.objects.filter(user=user).delete()
    removed = kinds.get(Authenticator._meta.label, 0)
    if removed:
        journal.record(Event.Action.FACTORS_RESET, actor, user)
    return removed


@transaction.atomic
def password_chosen(user: User, actor: User | None, *, but: str = "") -> None:
    """Keep that a password was set: every session ends, but the one of this key."""
    ended = StaffSession.objects.filter(user=user)
    (ended.exclude(pk=but) if but else ended).delete()
    journal.record(Event.Action.PASSWORD_CHANGED, actor, user)


@transaction.atomic
def end_sessions(ended: QuerySet[StaffSession], user: User, actor: User | None) -> int:
    """Sign an account out of these of its sessions, at once. How many there were."""
    number, _by_model = ended.filter(user=user).delete()
    if number:
        journal.record(Event.Action.SESSIONS_ENDED, actor, user)
    return number


def told(user: User) -> QuerySet[Event]:
    """What the journal tells a person of their account, the latest first."""
    return journal.of(user).filter(action__in=TOLD).select_related("actor")


def done_by_others(user: User) -> list[Event]:
    """What others did to an account that somebody has used, since they last signed in to it."""
    last = told(user).filter(action=Event.Action.SIGNED_IN).first()
    if last is None:
        return []
    since = told(user).filter(pk__gt=last.pk).exclude(actor=user)
    return list(since.exclude(action=Event.Action.SIGNED_IN).reverse())
