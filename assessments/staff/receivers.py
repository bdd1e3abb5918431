"""What allauth and Django tell of signing in, for the session and for the journal."""

from __future__ import annotations

from allauth.account.internal.flows.login import record_authentication
from allauth.account.signals import authentication_step_completed
from allauth.account.signals import user_logged_in as came_in
from allauth.mfa import signals as factors
from django.contrib import messages
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from .. import accounts, journal
from ..models import Event
from . import sessions


@receiver(user_logged_in)
def begin_session(sender, request, user, **kwargs) -> None:
    sessions.begin(request, user)


@receiver(user_logged_out)
def end_session(sender, request, **kwargs) -> None:
    sessions.end(request)


@receiver(came_in)
def note_sign_in(sender, request, user, **kwargs) -> None:
    for event in accounts.done_by_others(user):
        messages.warning(request, _told(event))
    journal.record(Event.Action.SIGNED_IN, user, user)


def _told(event: Event) -> str:
    return _(
        "%(when)s, by %(who)s: %(what)s. If you did not ask for it, somebody else may have used "
        "your account: tell those who run the service."
    ) % {
        "when": date_format(timezone.localtime(event.at), "SHORT_DATETIME_FORMAT"),
        "who": event.actor or _("a command on the server"),
        "what": event.get_action_display(),
    }


@receiver(factors.authenticator_added)
@receiver(factors.authenticator_reset)
def note_factor(sender, request, user, authenticator, **kwargs) -> None:
    """Who has just enrolled has shown it: they are not asked for it in the same breath."""
    record_authentication(
        request, user, "mfa", id=authenticator.pk, type=authenticator.type, reauthenticated=True
    )
    journal.record(Event.Action.FACTOR_ADDED, user, f"{user} – {authenticator.type}", user)


@receiver(factors.authenticator_removed)
def note_factor_gone(sender, user, authenticator, **kwargs) -> None:
    journal.record(Event.Action.FACTOR_REMOVED, user, f"{user} – {authenticator.type}", user)


@receiver(authentication_step_completed)
def renew_session(sender, request, reauthenticated=False, **kwargs) -> None:
    """Who has shown once more who they are goes on under another key, as after signing in."""
    if reauthenticated:
        request.session.cycle_key()
