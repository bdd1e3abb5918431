"""What django-allauth asks us: how we authenticate, what we say, where one goes on."""

from __future__ import annotations

import base64
import secrets
from typing import Any, ClassVar

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .. import accounts, journal, limits
from ..models import Event
from . import attempts, sessions
from .second_factor import Due, due

MESSAGES = {
    "mfa/messages/totp_activated.txt": gettext_lazy("The authenticator app has been added."),
    "mfa/messages/totp_deactivated.txt": gettext_lazy("The authenticator app has been removed."),
    "mfa/messages/webauthn_added.txt": gettext_lazy("The passkey has been added."),
    "mfa/messages/webauthn_removed.txt": gettext_lazy("The passkey has been removed."),
    "socialaccount/messages/account_connected.txt": gettext_lazy("The sign-in has been linked."),
    "socialaccount/messages/account_connected_updated.txt": gettext_lazy(
        "This sign-in was linked already."
    ),
    "socialaccount/messages/account_connected_other.txt": gettext_lazy(
        "This identity is already linked to another account."
    ),
    "socialaccount/messages/account_disconnected.txt": gettext_lazy(
        "The sign-in has been unlinked."
    ),
}
"""What we say where allauth names one of its templates; of the others, nothing."""


class AccountAdapter(DefaultAccountAdapter):
    error_messages: ClassVar = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": gettext_lazy(
            "The username or the password is wrong, or the account is not active."
        ),
        "incorrect_password": gettext_lazy("The password is wrong."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """A user by their password, unless there were too many wrong ones.

        Django's own backend answers for an account that is deactivated as for none, in the same
        time.
        """
        username = credentials.get("username", "")
        charges = attempts.password(request, username)
        user = authenticate(request, **credentials)
        if user is None:
            journal.record(Event.Action.SIGN_IN_REFUSED, None, attempts.known(username))
            return None
        limits.refund(*charges)
        return user

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        """Who came by a passkey or another service: said to no one else, so it may be said."""
        messages.error(request, _("This account is not active."))
        return HttpResponseRedirect(reverse("account_login"))

    def is_safe_url(self, url: str) -> bool:
        """Our own paths and nothing else, be it another host that is ours too."""
        return url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        if said := message or MESSAGES.get(message_template or ""):
            messages.add_message(request, level, said, extra_tags=extra_tags)

    def get_reauthentication_methods(self, user) -> list[dict]:
        """By the second factor, where there is one: a password alone must not remove it."""
        described = {
            "reauthenticate": gettext_lazy("Use your password"),
            "mfa_reauthenticate": gettext_lazy("Use a code"),
            "mfa_reauthenticate:webauthn": gettext_lazy("Use a passkey"),
        }
        methods = super().get_reauthentication_methods(user)
        stronger = [each for each in methods if each["id"].startswith("mfa_")]
        if stronger and accounts.has_second_factor(user):
            methods = stronger
        return [{**each, "description": described[each["id"]]} for each in methods]

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Not within minutes of signing in, which was a proof as good; always of the factor due."""
        request = context.request
        if due(request) is Due.PROOF:
            return True
        if sessions.age(request) < app_settings.REAUTHENTICATION_TIMEOUT:
            return False
        return not did_recently_reauthenticate(request)

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """There is no mail: the journal tells."""


class SecondFactorAdapter(DefaultMFAAdapter):
    error_messages: ClassVar = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": gettext_lazy("This is not right: check, and try once more."),
        "cannot_delete_authenticator": gettext_lazy(
            "You need a second factor: add another before you remove the last one."
        ),
        "cannot_generate_recovery_codes": gettext_lazy("Add a second factor first."),
    }

    def get_totp_label(self, user: User) -> str:
        return user.get_username()

    def _get_user_identifier(self, user: User) -> str:
        return user.get_username()

    def _get_site_name(self) -> str:
        return "Readiness"

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, Any]:
        """The username alone: the key's maker is told no person's name."""
        return {**super().get_public_key_credential_user_entity(user), "display_name": str(user)}

    def can_delete_authenticator(self, authenticator) -> bool:
        """Not the last one of somebody who must have one."""
        others = type(authenticator).objects.filter(
            user=authenticator.user, type__in=accounts.FACTORS
        )
        return (
            not accounts.must_have_second_factor(authenticator.user)
            or others.exclude(pk=authenticator.pk).exists()
        )

    def encrypt(self, text: str) -> str:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return base64.b64encode(nonce + _cipher().encrypt(nonce, text.encode(), None)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """InvalidTag where it was encrypted with another key, or altered."""
        kept = base64.b64decode(encrypted_text)
        return _cipher().decrypt(kept[:NONCE_BYTES], kept[NONCE_BYTES:], None).decode()


NONCE_BYTES = 12
"""As GCM wants it: at random, once for each of the few seeds there are."""


def _cipher() -> AESGCM:
    """Seeds of one-time codes lie encrypted in the database: a backup alone signs nobody in."""
    derived = HKDF(SHA256(), 32, salt=None, info=b"readiness second factors")
    return AESGCM(derived.derive(settings.SECRET_KEY.encode()))
