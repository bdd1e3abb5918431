"""Signing in by another service: OpenID Connect, Pro Santé Connect among others.

Imported only where a service is configured. django-allauth makes the round trip, with PKCE and a
``state`` used once; what it leaves to trust in TLS is checked here as well: the signature of the
token, whom it is for, that it answers this very request, and the level of assurance it tells of.
Of an identity its ``sub`` is kept, and neither name, address nor token. It opens the account it was
linked to by somebody signed in to that account, and nothing else: who is unknown gets no account.
"""

from __future__ import annotations

import json
import secrets
from typing import Any, NoReturn

import jwt
from allauth.account.decorators import reauthentication_required
from allauth.account.utils import get_next_redirect_url
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount import signals
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, get_adapter
from allauth.socialaccount.internal.flows import connect
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from requests import RequestException

from readiness.oidc import PROVIDER

from .. import accounts, journal, limits
from ..models import Event
from . import attempts

ALGORITHMS = ("RS256", "PS256", "ES256")
"""By public keys: ``none`` and a shared secret sign nothing here."""
LEEWAY = 30
"""Seconds that two clocks may differ."""


class IdentityAdapter(DefaultSocialAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def get_requests_session(self):
        """The service is asked where it says to be, and led nowhere else."""
        session = super().get_requests_session()
        session.max_redirects = 0
        return session

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        linking = sociallogin.state.get("process") == AuthProcess.CONNECT
        if not linking and not sociallogin.is_existing:
            raise ImmediateHttpResponse(refused(request, unknown=True))

    def on_authentication_error(
        self, request: HttpRequest, provider, error=None, exception=None, extra_context=None
    ) -> NoReturn:
        raise ImmediateHttpResponse(refused(request))

    def get_connect_redirect_url(self, request: HttpRequest, socialaccount) -> str:
        return reverse("mfa_index")


class Provider(OpenIDConnectProvider):
    """The service, of whose answer ``sub`` is taken and the rest left."""

    def get_oauth2_adapter(self, request: HttpRequest) -> Exchange:
        return Exchange(request)

    def redirect(self, request, process, next_url=None, data=None, **kwargs) -> HttpResponse:
        nonce = secrets.token_urlsafe(32)
        asked = {**self.get_auth_params(), "nonce": nonce}
        kwargs = {**kwargs, "auth_params": asked, "scope": self.get_scope()}
        return super().redirect(request, process, next_url, {"nonce": nonce}, **kwargs)

    def extract_uid(self, data: dict) -> str:
        return str(data["sub"])

    def extract_extra_data(self, data: dict) -> dict:
        return {}

    def extract_common_fields(self, data: dict) -> dict:
        return {}

    def extract_email_addresses(self, data: dict) -> list:
        return []


class Exchange(OpenIDConnectOAuth2Adapter):
    """The talk with the service, from the code to a token that was checked."""

    nonce: str | None = None
    """What the token must repeat: it was made for this request."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request, PROVIDER)

    def get_provider(self) -> Provider:
        return Provider(self.request, app=get_adapter().get_app(self.request, PROVIDER))

    @property
    def openid_config(self) -> dict[str, Any]:
        """What the service says of itself, if it says that it is the one we were told of."""
        told: dict[str, Any] = super().openid_config
        assert settings.OIDC is not None
        if str(told.get("issuer")).rstrip("/") != settings.OIDC.issuer:
            raise OAuth2Error("the service calls itself by another name")
        return told

    def get_callback_url(self, request: HttpRequest, app) -> str:
        return settings.PUBLIC_ADDRESS + reverse("openid_connect_callback")

    def complete_login(self, request: HttpRequest, app, token, **kwargs: Any) -> SocialLogin:
        told = self.checked(kwargs["response"].get("id_token", ""), app)
        return self.get_provider().sociallogin_from_response(request, told)

    def checked(self, token: str, app) -> dict[str, Any]:
        """The claims of a token.

        :raises OAuth2Error: it is not signed by the service, not for us, too old, of another
            request, or of a level we did not ask for.
        """
        try:
            told: dict[str, Any] = jwt.decode(
                token,
                key=self._key(jwt.get_unverified_header(token)),
                algorithms=ALGORITHMS,
                audience=app.client_id,
                issuer=self.openid_config["issuer"],
                leeway=LEEWAY,
                options={"require": ["iss", "sub", "aud", "exp", "iat"]},
            )
        except (jwt.PyJWTError, KeyError, ValueError) as error:
            raise OAuth2Error("the token does not hold") from error
        if not self.nonce or not secrets.compare_digest(str(told.get("nonce")), self.nonce):
            raise OAuth2Error("the token answers another request")
        # A token for others too says for whom of them it was made (OpenID Connect Core, 3.1.3.7).
        alone = told["aud"] in (app.client_id, [app.client_id])
        made_for = told.get("azp", app.client_id if alone else None)
        if made_for != app.client_id or not told["sub"]:
            raise OAuth2Error("the token is somebody else's")
        if settings.OIDC_ACR_VALUES and told.get("acr") not in settings.OIDC_ACR_VALUES:
            raise OAuth2Error("the level of assurance is not one we ask for")
        return told

    def _key(self, header: dict[str, Any]) -> Any:
        """The public key that the service publishes under the token's ``kid``."""
        if header["alg"] not in ALGORITHMS:  # what a token says of itself chooses no algorithm
            raise KeyError("alg")
        with get_adapter().get_requests_session() as session:
            answer = session.get(self.openid_config["jwks_uri"])
            answer.raise_for_status()
            published = answer.json()["keys"]
        for each in published:
            if each.get("kid") == header.get("kid") and each.get("use", "sig") == "sig":
                return jwt.PyJWK(each, algorithm=header["alg"]).key
        raise KeyError("kid")


class ComeBack(OAuth2CallbackView):
    adapter: Exchange

    def _get_state(self, request: HttpRequest, provider: Provider):
        state, answer = super()._get_state(request, provider)
        if state is not None:
            self.adapter.nonce = (state.get("data") or {}).get("nonce")
        return state, answer


def refused(request: HttpRequest, unknown: bool = False) -> HttpResponse:
    """In words that tell an outsider nothing; the journal has the line."""
    assert settings.OIDC is not None
    if not limits.spend((attempts.REFUSED, limits.client(request))):
        journal.record(Event.Action.IDENTITY_REFUSED, None, settings.OIDC.name)
    context = {**admin.site.each_context(request), "oidc": settings.OIDC, "unknown": unknown}
    return render(request, "staff/identity_refused.html", context, status=403)


@never_cache
@require_GET
def sign_in(request: HttpRequest) -> HttpResponse:
    """Off to the service. Nothing of the address but ``next`` is heeded.

    It takes a press of our own button: a page elsewhere that leads here gets the page with it, for
    the service may know the visitor and ask nothing.
    """
    if request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        return HttpResponseRedirect(reverse("account_login"))
    attempts.begun(request)
    return _off(request, AuthProcess.LOGIN, get_next_redirect_url(request))


@never_cache
@require_GET
def come_back(request: HttpRequest) -> HttpResponse:
    """Back from the service, with a code to be exchanged for a token."""
    try:
        return ComeBack.adapter_view(Exchange(request))(request)
    except (OAuth2Error, RequestException, KeyError, ValueError, json.JSONDecodeError):
        return refused(request)


@never_cache
@require_POST
@login_required
@reauthentication_required(app="allauth.socialaccount")
def link(request: HttpRequest) -> HttpResponse:
    """Off to link the identity that one has there. A page lies between: no form may lead away
    from here, as the content security policy has it."""
    answer = _off(request, AuthProcess.CONNECT, reverse("mfa_index"))
    if not isinstance(answer, HttpResponseRedirect):
        return answer
    context = {
        **admin.site.each_context(request),
        "title": _("Link a sign-in"),
        "oidc": settings.OIDC,
        "there": answer.url,
    }
    return render(request, "staff/identity_go.html", context)


@never_cache
@require_POST
@login_required
@reauthentication_required(app="allauth.socialaccount")
def unlink(request: HttpRequest) -> HttpResponse:
    """The account must be left another way in."""
    user = request.user
    assert isinstance(user, User)
    identity = get_object_or_404(SocialAccount, user=user)
    if not (user.has_usable_password() or accounts.has_passkey(user)):
        raise PermissionDenied
    connect.disconnect(request, identity)
    return HttpResponseRedirect(reverse("mfa_index"))


@receiver(signals.social_account_added)
def note_link(sender, request, sociallogin, **kwargs) -> None:
    journal.record(Event.Action.IDENTITY_LINKED, request.user, request.user)


@receiver(signals.social_account_removed)
def note_unlink(sender, request, socialaccount, **kwargs) -> None:
    journal.record(Event.Action.IDENTITY_UNLINKED, request.user, request.user)


def _off(request: HttpRequest, process: str, there: str | None) -> HttpResponse:
    try:
        return Exchange(request).get_provider().redirect(request, process, next_url=there)
    except (OAuth2Error, RequestException, KeyError, ValueError):
        return refused(request)
    except ImmediateHttpResponse as answer:
        return answer.response
