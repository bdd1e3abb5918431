"""The admin, nothing of which is served before one has signed in, with all that is due."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.auth import logout
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache


class StaffSite(AdminSite):
    """Every address of the admin asks :meth:`has_permission`; its own sign-in form is gone."""

    def has_permission(self, request: HttpRequest) -> bool:
        from .second_factor import Due, due

        return super().has_permission(request) and due(request) is Due.NOTHING

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context=None) -> HttpResponse:
        """Lead on to what is missing; a form sent here is not read."""
        from allauth.account.utils import get_next_redirect_url

        from .second_factor import address

        there = get_next_redirect_url(request) or reverse("admin:index")
        if self.has_permission(request):
            return HttpResponseRedirect(there)
        if not request.user.is_authenticated:
            return HttpResponseRedirect(f"{reverse('account_login')}?{urlencode({'next': there})}")
        if not super().has_permission(request):
            return render(request, "staff/no_role.html", self.each_context(request), status=403)
        return HttpResponseRedirect(address(request, there))

    @method_decorator(never_cache)
    def logout(  # type: ignore[override]
        self, request: HttpRequest, extra_context=None
    ) -> HttpResponseBase:
        from .. import journal
        from ..models import Event

        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if request.user.is_authenticated:
            journal.record(Event.Action.SIGNED_OUT, request.user, request.user)
        logout(request)
        messages.success(request, _("You have signed out."))
        left = HttpResponseRedirect(reverse("account_login"))
        # As for who answers (views/after.py): a trainer's computer may be shared as well.
        left["Clear-Site-Data"] = '"cache", "storage"'
        return left

    def password_change(self, request: HttpRequest, extra_context=None):
        from .forms import PasswordChangeForm

        self.password_change_form = PasswordChangeForm
        return super().password_change(request, extra_context)
