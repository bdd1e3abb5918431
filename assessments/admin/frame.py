"""The stock admin's frame around a page of our own."""

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse


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
