"""The stock admin's frame around a page of our own."""

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.http import HttpRequest
from django.template.response import TemplateResponse

from .. import journal

HISTORY = 100
"""Lines that the history of an object shows, the last ones."""


class JournalHistory(admin.ModelAdmin):
    """The history of an object is what the journal says of it. Django's own log is not written,
    or the two would tell different stories."""

    object_history_template = "admin/assessments/history.html"

    def history_view(self, request, object_id, extra_context=None):
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


def framed(
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    name: str,
    title: str,
    *,
    status: int = 200,
    **context: object,
) -> TemplateResponse:
    """The template ``admin/assessments/{name}.html``, with what the admin's own pages have."""
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(
        request,
        f"admin/assessments/{name}.html",
        {
            **model_admin.admin_site.each_context(request),
            "opts": model_admin.opts,
            "title": title,
            **context,
        },
        status=status,
    )
