"""The pages of the door: django-allauth's views, in the admin's frame and with our forms."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from allauth.account.decorators import reauthentication_required
from allauth.account.views import LoginView, ReauthenticateView
from allauth.core.internal.httpkit import authenticated_user
from allauth.mfa.base import views as factors
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.forms import GenerateRecoveryCodesForm
from allauth.mfa.totp import views as apps
from allauth.mfa.webauthn import views as keys
from allauth.mfa.webauthn.internal import auth as webauthn
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import PasswordResetConfirmView
from django.core.exceptions import BadRequest
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST
from django.views.generic import FormView, TemplateView, View

from .. import accounts
from . import attempts, forms, recovery, sessions
from .adapters import SecondFactorAdapter

LINES = 10
"""Of the journal, on the page of one’s own account."""


class Framed(View):
    """A page in the admin's frame, kept by no cache."""

    title: str | Promise
    request: HttpRequest

    @method_decorator(never_cache)
    @method_decorator(sensitive_post_parameters())
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any):
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)  # type: ignore[misc]
        if "js_data" in context:
            context["options"] = json.dumps(next(iter(context["js_data"].values())))
        return {**admin.site.each_context(self.request), "title": self.title, **context}


class SignIn(Framed, LoginView):
    title = gettext_lazy("Sign in")
    form_class = forms.LoginForm
    template_name = "staff/sign_in.html"

    def get_form_class(self):
        return self.form_class

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        there = {"next": context["redirect_field_value"]} if self.get_next_url() else {}
        return {**context, "oidc": settings.OIDC, "query": urlencode(there)}


class SignInByKey(keys.LoginWebAuthnView):
    """Asked by our script; without it, nobody gets here."""

    def get_form_class(self):
        return forms.SignInByKeyForm

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        attempts.begun(request)
        return super().get(request, *args, **kwargs)

    @method_decorator(never_cache)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any):
        return super().dispatch(request, *args, **kwargs)


class SecondStep(Framed, factors.AuthenticateView):
    title = gettext_lazy("Second step")
    template_name = "staff/second_step.html"

    def get_form_class(self):
        return forms.CodeForm

    def get_webauthn_form_class(self):
        return forms.KeyForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), **_kinds(self.stage.login.user)}


@method_decorator(login_required, name="dispatch")
class _Confirm(Framed):
    title = gettext_lazy("Is it still you?")
    template_name = "staff/confirm.html"

    def get_form_class(self):
        return self.form_class


class ConfirmByPassword(_Confirm, ReauthenticateView):
    form_class = forms.ConfirmByPasswordForm


class ConfirmByCode(_Confirm, factors.ReauthenticateView):
    form_class = forms.ConfirmByCodeForm


class ConfirmByKey(_Confirm, keys.ReauthenticateWebAuthnView):
    form_class = forms.ConfirmByKeyForm
    template_name = "staff/confirm_by_key.html"

    def form_invalid(self, form) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form))


@method_decorator(login_required, name="dispatch")
class SecondFactors(Framed, factors.IndexView):
    title = gettext_lazy("Signing in safely")
    template_name = "staff/second_factors.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        user = authenticated_user(self.request)
        held = accounts.has_second_factor(user)
        must = accounts.must_have_second_factor(user)
        held_keys = context["authenticators"].get(Authenticator.Type.WEBAUTHN, [])
        return {
            **context,
            "keys": held_keys,
            "app": context["authenticators"].get(Authenticator.Type.TOTP),
            "left": recovery.left(user),
            "held": held,
            "must": must,
            "removable": not must or len(held_keys) + ("totp" in context["authenticators"]) > 1,
            "oidc": settings.OIDC,
            "identity": _identity(user),
            "sessions": sessions.alive(user),
            "this": sessions.current(self.request),
            "told": accounts.told(user)[:LINES],
        }


@never_cache
@require_POST
@login_required
@reauthentication_required(app="allauth.mfa")
def end_sessions(request: HttpRequest) -> HttpResponse:
    """Ends one of one’s own sessions, or all but the one that asks."""
    user = authenticated_user(request)
    others = sessions.alive(user).exclude(pk=sessions.key(request))
    if "session" in request.POST:
        try:
            others = others.filter(pk=UUID(request.POST["session"]))
        except ValueError as error:
            raise BadRequest from error
    accounts.end_sessions(others, user, user)
    messages.success(request, _("Signed out there. If it was not you, change your password."))
    return HttpResponseRedirect(reverse("mfa_index"))


class _WithCodes(View):
    """Who adds a first factor is given recovery codes with it."""

    def form_valid(self, form) -> HttpResponse:
        answer = super().form_valid(form)  # type: ignore[misc]
        user = authenticated_user(self.request)
        if recovery.left(user):
            return answer
        recovery.give(self.request, user)
        return HttpResponseRedirect(reverse("mfa_view_recovery_codes"))


class AddApp(_WithCodes, Framed, apps.ActivateTOTPView):
    title = gettext_lazy("Add an authenticator app")
    template_name = "staff/add_app.html"

    def get_form_class(self):
        return forms.AddAppForm

    def form_valid(self, form) -> HttpResponse:
        try:
            with transaction.atomic():
                return super().form_valid(form)
        except IntegrityError:  # confirmed twice at once: there is one now
            return HttpResponseRedirect(reverse("mfa_index"))


class RemoveApp(Framed, apps.DeactivateTOTPView):
    title = gettext_lazy("Remove the authenticator app")
    template_name = "staff/remove.html"

    def get_form_class(self):
        return forms.RemoveAppForm


class AddKey(_WithCodes, Framed, keys.AddWebAuthnView):
    title = gettext_lazy("Add a passkey")
    template_name = "staff/add_key.html"

    def get_form_class(self):
        return forms.AddKeyForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        options = webauthn.begin_registration(authenticated_user(self.request), passwordless=True)
        return {**context, **kwargs, "options": json.dumps(options)}


class RemoveKey(Framed, keys.RemoveWebAuthnView):
    title = gettext_lazy("Remove a passkey")
    template_name = "staff/remove.html"
    success_url = reverse_lazy("mfa_index")

    def form_valid(self, form) -> HttpResponse:
        adapter = SecondFactorAdapter()
        if not adapter.can_delete_authenticator(self.get_object()):
            form.add_error(None, adapter.validation_error("cannot_delete_authenticator"))
            return self.form_invalid(form)
        return super().form_valid(form)


@method_decorator(reauthentication_required(app="allauth.mfa"), name="dispatch")
class RecoveryCodes(Framed, TemplateView):
    title = gettext_lazy("Recovery codes")
    template_name = "staff/recovery_codes.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        made = recovery.taken(self.request)
        if not (made or recovery.left(authenticated_user(self.request))):
            raise Http404
        return {**super().get_context_data(**kwargs), "unused_codes": made}


@method_decorator(reauthentication_required(app="allauth.mfa"), name="dispatch")
class NewRecoveryCodes(Framed, FormView):
    title = gettext_lazy("New recovery codes")
    template_name = "staff/new_recovery_codes.html"
    form_class = GenerateRecoveryCodesForm
    success_url = reverse_lazy("mfa_view_recovery_codes")

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": self.request.user}

    def form_valid(self, form) -> HttpResponse:
        recovery.give(self.request, authenticated_user(self.request))
        return super().form_valid(form)


class Welcome(Framed, PasswordResetConfirmView):
    """Choosing a password, by a link that is good once."""

    title = gettext_lazy("Choose your password")
    form_class = forms.ChosenPasswordForm
    template_name = "staff/welcome.html"
    success_url = reverse_lazy("account_login")
    reset_url_token = "choose"

    def get_user(self, uidb64: str):
        user = super().get_user(uidb64)
        return user if user is not None and user.is_active else None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        title = self.title if context["validlink"] else _("This link no longer works")
        return {**context, "title": title}

    def form_valid(self, form) -> HttpResponse:
        messages.success(self.request, _("Your password is kept. You can sign in."))
        return super().form_valid(form)


def _kinds(user) -> dict[str, bool]:
    kinds = set(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    return {"has_key": "webauthn" in kinds, "has_app": "totp" in kinds}


def _identity(user):
    if settings.OIDC is None:
        return None
    from allauth.socialaccount.models import SocialAccount

    return SocialAccount.objects.filter(user=user).first()
