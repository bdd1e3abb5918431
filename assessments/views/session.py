"""How a browser holds a sitting: its key, in a session that ends with the browser."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from ..models import Sitting
from ..sittings import Erased, find

get_or_post = require_http_methods(["GET", "HEAD", "POST"])

SITTING = "sitting"
JOINING = "joining"


def hold(request: HttpRequest, sitting: Sitting) -> None:
    """Make this browser the sitting's; whoever used it before is signed off from theirs."""
    let_go(request)
    request.session[SITTING] = sitting.pk


def let_go(request: HttpRequest) -> None:
    """Nothing of a sitting stays in this browser, nor do its forms work any more."""
    request.session.flush()
    rotate_token(request)


def held(request: HttpRequest) -> Sitting | None:
    """The sitting this browser holds."""
    key = request.session.get(SITTING)
    return find(key) if key is not None else None


def private(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page of one's own: it gets the sitting, is kept in no cache, and asks for the resume
    code where this browser holds no sitting."""

    @never_cache
    @wraps(view)
    def wrapper(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        sitting = held(request)
        if sitting is None:
            return redirect("resume")
        try:
            return view(request, sitting, *args, **kwargs)
        except Erased:
            let_go(request)
            return redirect("resume")

    return wrapper
