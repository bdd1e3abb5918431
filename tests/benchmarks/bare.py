"""Our addresses, and one more whose view does nothing: what the middleware alone costs."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from readiness.urls import handler400, handler500, urlpatterns

__all__ = ["handler400", "handler500", "urlpatterns"]


def bare(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<!doctype html><title>Bare</title><p>Nothing.</p>")


urlpatterns = [path("bare/", bare), *urlpatterns]
