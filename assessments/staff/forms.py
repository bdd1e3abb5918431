"""The forms of signing in, in our words and counted by :mod:`.attempts`."""

from __future__ import annotations

import struct
from typing import Any

from allauth.account.forms import LoginForm as StockLoginForm
from allauth.account.forms import ReauthenticateForm as StockReauthenticateForm
from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm, DeactivateTOTPForm
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from cryptography.exceptions import InvalidTag
from django import forms
from django.contrib.auth.forms import PasswordChangeForm as StockPasswordChangeForm
from django.contrib.auth.forms import SetPasswordForm
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .. import accounts, journal, limits
from ..models import Event
from . import attempts, recovery, sessions


class LoginForm(StockLoginForm):
    """A name and a password; whoever asks is told no more of one than of the other."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        login, password = self.fields["login"], self.fields["password"]
        login.label, password.label = gettext_lazy("Username"), gettext_lazy("Password")
        password.help_text = ""
        login.widget.attrs = {
            "autocomplete": "username",
            "autocapitalize": "none",
            "autofocus": True,
            "maxlength": 150,
        }
        password.widget.attrs = {"autocomplete": "current-password"}


class ConfirmByPasswordForm(StockReauthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        password = self.fields["password"]
        password.label, password.help_text = gettext_lazy("Password"), ""
        password.widget.attrs = {"autocomplete": "current-password", "autofocus": True}


class _CountedCode:
    """A code typed in: six digits of an app, or ten of a recovery code."""

    user: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["code"]  # type: ignore[attr-defined]
        field.label = gettext_lazy("Code")
        field.max_length = 20
        field.widget.attrs = {
            "autocomplete": "one-time-code",
            "inputmode": "numeric",
            "autofocus": True,
            "maxlength": 20,
        }

    def clean_code(self) -> str:
        charges = attempts.code(context.request, self.user)
        try:
            code: str = super().clean_code()  # type: ignore[misc]
        except ValidationError:
            journal.record(Event.Action.CODE_REFUSED, None, self.user)
            raise
        except InvalidTag as error:  # the seed was kept under another secret key
            journal.record(Event.Action.CODE_REFUSED, None, self.user)
            raise get_adapter().validation_error("incorrect_code") from error
        limits.refund(*charges)
        return code


class _OrRecoveryCode:
    user: Any
    cleaned_data: dict[str, Any]

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        if used := recovery.spend(self.user, code):
            self.authenticator = used
            return code
        return super().clean_code()  # type: ignore[misc]


class CodeForm(_CountedCode, _OrRecoveryCode, AuthenticateForm):
    pass


class ConfirmByCodeForm(_CountedCode, _OrRecoveryCode, ReauthenticateForm):
    pass


class AddAppForm(_CountedCode, ActivateTOTPForm):
    pass


class RemoveAppForm(DeactivateTOTPForm):
    pass


NOT_A_KEY = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    IndexError,
    RecursionError,
    struct.error,
)
"""What reading a credential that no browser made may come to: allauth lets some of it through."""


class CredentialField(forms.JSONField):
    """What a key has said, as JSON: refused where it cannot be read, and never shown again."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except (ValueError, RecursionError) as error:  # of thousands of digits, or brackets
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error

    def bound_data(self, data: Any, initial: Any) -> Any:
        return initial


class _CountedKey:
    user: Any

    def clean_credential(self) -> Authenticator:
        charges = (
            attempts.code(context.request, self.user)
            if self.user is not None
            else attempts.passkey(context.request)
        )
        try:
            found: Authenticator = super().clean_credential()  # type: ignore[misc]
        except (ValidationError, *NOT_A_KEY) as error:
            whose = self.user or attempts.NOBODY
            journal.record(Event.Action.CODE_REFUSED, None, whose)
            raise get_adapter().validation_error("incorrect_code") from error
        limits.refund(*charges)
        return found


class KeyForm(_CountedKey, AuthenticateWebAuthnForm):
    credential = CredentialField()


class ConfirmByKeyForm(_CountedKey, ReauthenticateWebAuthnForm):
    credential = CredentialField()


class SignInByKeyForm(_CountedKey, LoginWebAuthnForm):
    credential = CredentialField()


class AddKeyForm(AddWebAuthnForm):
    """Every key is a passkey: it knows whose it is, and asks a finger, a face or a PIN."""

    passwordless = None
    credential = CredentialField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"] = forms.CharField(
            label=gettext_lazy("Name of the passkey"),
            help_text=gettext_lazy("To tell it from others, for example: phone, security key."),
            max_length=60,
            required=False,
        )
        self.initial["name"] = ""

    def clean_name(self) -> str:
        return self.cleaned_data["name"] or _("Passkey")

    def clean(self) -> dict:
        self.cleaned_data["passwordless"] = True
        try:
            return super().clean()
        except NOT_A_KEY as error:
            raise get_adapter().validation_error("incorrect_code") from error


class PasswordChangeForm(StockPasswordChangeForm):
    """The old password is counted as at the door: a session left open is no place to guess it."""

    def clean_old_password(self) -> str:
        charges = attempts.password(context.request, self.user.get_username())
        try:
            old = super().clean_old_password()
        except ValidationError:
            journal.record(Event.Action.SIGN_IN_REFUSED, None, self.user)
            raise
        limits.refund(*charges)
        return old

    @transaction.atomic
    def save(self, commit: bool = True):
        user = super().save(commit)
        accounts.password_chosen(user, user, but=sessions.key(context.request))
        return user


class ChosenPasswordForm(SetPasswordForm):
    """A password chosen by the link that was made for its reader."""

    @transaction.atomic
    def save(self, commit: bool = True):
        user = super().save(commit)
        accounts.password_chosen(user, user)
        return user
