"""Accounts of the staff, for those who look after them.

Not Django's own pages, by which whoever may change a user may become a superuser: here are names,
our roles, and whether the account is active. Superusers are made in the shell alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, ClassVar

from allauth.account.decorators import reauthentication_required
from allauth.mfa.models import Authenticator
from django import forms
from django.apps import apps
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from .. import accounts, roles
from ..staff import sessions
from .access import CarefulAdmin
from .frame import framed

# What libraries would show of accounts, secrets among it.
for label in ("account", "mfa", "socialaccount"):
    if apps.is_installed(f"allauth.{label}"):
        import_module(f"allauth.{label}.admin")  # registered by its import
        for stock in apps.get_app_config(label).get_models():
            if admin.site.is_registered(stock):
                admin.site.unregister(stock)
import_module("django.contrib.auth.admin")
admin.site.unregister([User, Group])


def _by(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


class AccountForm(forms.ModelForm):
    groups = forms.ModelMultipleChoiceField(
        Group.objects.filter(name__in=roles.PERMISSIONS).order_by("name"),
        label=gettext_lazy("Roles"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=gettext_lazy("Without a role, one does not get in."),
    )

    class Meta:
        model = User
        fields = ("username", "first_name", "last_name", "is_active", "groups")

    by: ClassVar[User]
    """Who fills it in."""

    def clean_username(self) -> str:
        """No name that differs from another by capitals alone: people would take one for the
        other, and they would lock each other out."""
        name: str = self.cleaned_data["username"]
        if User.objects.exclude(pk=self.instance.pk).filter(username__iexact=name).exists():
            raise self.instance.unique_error_message(User, ["username"])
        return name

    def clean_is_active(self) -> bool:
        active: bool = self.cleaned_data["is_active"]
        if not active and self.instance == self.by:
            raise forms.ValidationError(_("Somebody else must deactivate your account."))
        return active


@admin.register(User)
class AccountAdmin(CarefulAdmin):
    form = AccountForm
    list_display = ("username", "last_name", "first_name", "roles", "secured", "is_active")
    list_filter = ("is_active",)
    search_fields = ("username", "first_name", "last_name")
    ordering = ("username",)
    actions = None
    add_fields = ("username", "first_name", "last_name", "groups")
    fields = ("username", "first_name", "last_name", "is_active", "groups")
    change_form_template = "admin/assessments/account/change_form.html"

    @admin.display(description=gettext_lazy("roles"))
    def roles(self, user: User) -> str:
        held = [group.name for group in user.groups.all()]
        return ", ".join([*([_("superuser")] if user.is_superuser else []), *held])

    @admin.display(description=gettext_lazy("second factor"), boolean=True)
    def secured(self, user: User) -> bool:
        return user.secured  # type: ignore[attr-defined]

    def get_queryset(self, request: HttpRequest):
        held = Authenticator.objects.filter(user=OuterRef("pk"), type__in=accounts.FACTORS)
        everybody = super().get_queryset(request).prefetch_related("groups")
        return everybody.annotate(secured=Exists(held))

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        if obj is not None and not accounts.may_touch(_by(request), obj):
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False  # what they did stays theirs: an account is deactivated

    def get_fields(self, request: HttpRequest, obj: User | None = None):
        return self.fields if obj else self.add_fields

    def get_form(self, request: HttpRequest, obj: User | None = None, change=False, **kwargs: Any):
        made = super().get_form(request, obj, change, **kwargs)
        return type(made.__name__, (made,), {"by": request.user})

    def save_model(self, request: HttpRequest, obj: User, form, change: bool) -> None:
        if not change:
            accounts.create(obj, _by(request))
        elif set(form.changed_data) - {"groups"}:
            accounts.change(obj, _by(request), was_active=form.initial["is_active"])

    def save_related(self, request: HttpRequest, form, formsets, change: bool) -> None:
        accounts.give_roles(form.instance, form.cleaned_data["groups"], _by(request))

    def response_add(self, request: HttpRequest, obj: User, post_url_continue=None):
        """On to the link, without which nobody can sign in."""
        return HttpResponseRedirect(reverse("admin:auth_user_link", args=(obj.pk,)))

    @method_decorator(reauthentication_required(app="allauth.mfa", allow_get=True))
    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        return super().changeform_view(request, object_id, form_url, extra_context)

    def get_urls(self):
        def guarded(view):
            """Asks once more who one is: a page left open takes nobody's factors away."""
            return self.admin_site.admin_view(reauthentication_required(app="allauth.mfa")(view))

        return [
            path("<int:pk>/link/", guarded(self.link), name="auth_user_link"),
            path("<int:pk>/second-factors/", guarded(self.factors), name="auth_user_factors"),
            path("<int:pk>/sessions/", guarded(self.sessions), name="auth_user_sessions"),
            *super().get_urls(),
        ]

    @method_decorator(never_cache)
    def link(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A link by which its reader chooses a password: shown once, to whoever asked for it."""
        user = self._touched(request, pk)
        address = ""
        if request.method == "POST":
            uidb64, token = accounts.reset_password(user, _by(request))
            address = settings.PUBLIC_ADDRESS + reverse("staff_welcome", args=(uidb64, token))
        hours = settings.PASSWORD_RESET_TIMEOUT // 3600
        title = _("A password for %(name)s") % {"name": user.get_username()}
        return framed(
            self, request, "account/link", title, account=user, address=address, hours=hours
        )

    def factors(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Takes lost second factors away, once it was asked."""
        user = self._touched(request, pk)
        if request.method == "POST":
            accounts.reset_second_factors(user, _by(request))
            messages.success(request, _("The second factors were taken away."))
            return HttpResponseRedirect(reverse("admin:auth_user_change", args=(user.pk,)))
        title = _("Second factors of %(name)s") % {"name": user.get_username()}
        held = accounts.has_second_factor(user)
        return framed(self, request, "account/factors", title, account=user, held=held)

    def sessions(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Signs somebody out everywhere, without taking anything from the account."""
        user = self._touched(request, pk)
        alive = sessions.alive(user)
        if request.method == "POST":
            accounts.end_sessions(alive, user, _by(request))
            messages.success(request, _("Signed out everywhere."))
            return HttpResponseRedirect(reverse("admin:auth_user_change", args=(user.pk,)))
        title = _("Sessions of %(name)s") % {"name": user.get_username()}
        number = alive.count()
        return framed(self, request, "account/sessions", title, account=user, number=number)

    def _touched(self, request: HttpRequest, pk: int) -> User:
        user = User.objects.filter(pk=pk).first()
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        if user is None:
            raise Http404
        return user
