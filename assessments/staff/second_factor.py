"""Whether a session has proved more than a password, and what it has to do if not."""

from __future__ import annotations

from enum import Enum
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from .. import accounts


class Due(Enum):
    NOTHING = "nothing"
    PROOF = "proof"
    """The account has a second factor, which this session has not shown."""
    ENROLMENT = "enrolment"
    """The account must have one, and has none."""


def due(request: HttpRequest) -> Due:
    """Asked once in a request: a page asks several times."""
    kept: Due | None = getattr(request, "_second_factor_due", None)
    if kept is None:
        kept = request._second_factor_due = _due(request)  # type: ignore[attr-defined]
    return kept


def _due(request: HttpRequest) -> Due:
    user = request.user
    if not user.is_authenticated:
        return Due.NOTHING
    methods = {record["method"] for record in get_authentication_records(request, user)}
    if accounts.has_second_factor(user):
        return Due.NOTHING if "mfa" in methods else Due.PROOF
    # The level that the service must tell of is a proof of the same kind.
    if settings.OIDC_ACR_VALUES and "socialaccount" in methods:
        return Due.NOTHING
    return Due.ENROLMENT if accounts.must_have_second_factor(user) else Due.NOTHING


def address(request: HttpRequest, there: str) -> str:
    """Where what is due is done, before one goes on."""
    if due(request) is Due.PROOF:
        page = get_adapter(request).get_reauthentication_methods(request.user)[0]["url"]
    else:
        page = reverse("mfa_index")
    return f"{page}?{urlencode({'next': there})}"
