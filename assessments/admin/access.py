"""Who gets to a page of ours: under a cohort, its own trainers; of the instrument, authors."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from .. import journal
from ..models import REFUSED, Cohort, Phase

logger = logging.getLogger(__name__)

type View = Callable[..., HttpResponse]

HISTORY = 100
"""Lines that the history of an object shows, the last ones."""
LONGEST_SEARCH = 100
"""Signs of what is searched for that count."""
COMPARED = ("exact", "isnull", "gte", "lt")
"""How the stock filters compare."""


class CarefulAdmin(admin.ModelAdmin):
    """A stock admin that answers what its pages ask, and nothing else.

    The history of an object is what the journal says of it. Django's own log is not written, or the
    two would tell different stories.
    """

    object_history_template = "admin/assessments/history.html"

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except IntegrityError as error:  # between what the form looked up and what it wrote
            if request.method != "POST" or REFUSED in str(error):
                raise
            logger.warning("A form that was checked could not be kept.", exc_info=True)
            told = _("Somebody has just saved the same: see what is there before you try again.")
            self.message_user(request, told, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def get_search_results(self, request, queryset, search_term):
        """A database takes so many conditions and no more."""
        return super().get_search_results(request, queryset, search_term[:LONGEST_SEARCH])

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Of what may be asked in an address, only what a filter of the list asks: the stock
        answers for every field, by expressions that fail or take minutes."""
        filters = [
            each[0] if isinstance(each, tuple | list) else each
            for each in self.get_list_filter(request)
        ]
        name, *more = lookup.split("__")
        return (
            name in filters
            and (not more or more[-1] in COMPARED)
            and super().lookup_allowed(lookup, value, request)
        )

    def history_view(self, request, object_id, extra_context=None):
        """The stock looks first whether there is such an object, and so tells all the staff."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        known = self.get_object(request, unquote(object_id))
        lines = journal.of(known).select_related("actor")[:HISTORY] if known else ()
        more = {"lines": lines, "most": HISTORY, **(extra_context or {})}
        return super().history_view(request, object_id, more)

    def log_addition(self, request, obj, message):
        return None

    def log_change(self, request, obj, message):
        return None

    def log_deletions(self, request, queryset):
        return None


def trains(user, cohort: Cohort) -> bool:
    return cohort.trainers.filter(pk=user.pk).exists()


def for_its_trainers(view: View) -> View:
    """A page under a cohort (``view(self, request, cohort, …)``) or, where its address names a
    phase, under that phase (``view(self, request, phase, …)``).

    Somebody else's cohort does not exist for a trainer; a superuser, who knows that it does, is
    refused what ``roles`` keeps for its trainers.
    """

    @wraps(view)
    def guarded(
        self: admin.ModelAdmin,
        request: HttpRequest,
        cohort_id: int,
        phase_id: int | None = None,
        **more,
    ) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        found: Cohort | Phase | None
        own = self.get_queryset(request).filter(pk=cohort_id)
        if phase_id is None:
            found = cohort = own.first()
        else:
            found = (
                Phase.objects.filter(pk=phase_id, cohort__in=own)
                .select_related("cohort", "version")
                .defer("version__document")
                .first()
            )
            cohort = found.cohort if found else None
        if found is None or cohort is None:
            stock_answer = self._get_obj_does_not_exist_redirect  # type: ignore[attr-defined]
            return stock_answer(request, self.opts, str(cohort_id))
        if not trains(request.user, cohort):
            raise PermissionDenied
        return view(self, request, found, **more)

    return guarded


AUTHORING = "assessments.change_instrumentversion"


def for_authors(view: View) -> View:
    """A page on which the questionnaire is carried on: for authors and superusers."""

    @wraps(view)
    def guarded(self: admin.ModelAdmin, request: HttpRequest, *args, **kwargs) -> HttpResponse:
        if not request.user.has_perm(AUTHORING):
            raise PermissionDenied
        return view(self, request, *args, **kwargs)

    return guarded
