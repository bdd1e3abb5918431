"""How a browser holds a person's sittings: by their keys, in a session that ends with the browser.

Nothing that is kept tells that two sittings are one person's: their resume code does, and, while
it is in use, the session. The code itself stays in no session.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from ..models import Sitting
from ..sittings import Erased, find, find_all, next_hash, of_code

get_or_post = require_http_methods(["GET", "HEAD", "POST"])

SITTING = "sitting"
"""The key of the sitting that is open."""
OWN = "own"
"""The keys of all sittings of its code, in order. They serve to show a person their own change and
the steps they chose, to open another of their questionnaires, to erase; and nothing else."""
NEXT = "next"
"""What the next sitting of the code will keep of it (hexadecimal), so that it can be opened without
typing the code again."""
JOINING = "joining"


def hold(request: HttpRequest, sitting: Sitting, code: str) -> None:
    """Make this browser that of the code's person, with one of their sittings open; whoever used
    it before is signed off from theirs."""
    let_go(request)
    request.session[SITTING] = sitting.pk
    mine = of_code(code)
    request.session[OWN] = [each.pk for each in mine]
    following = next_hash(code, mine)
    request.session[NEXT] = following.hex() if following else None


def turn_to(request: HttpRequest, sitting: Sitting) -> None:
    """Open another sitting of the same person, whose pages of the one before work no more."""
    keys = request.session.get(OWN, [])
    if sitting.pk not in keys:
        request.session[OWN] = [*keys, sitting.pk]
        request.session[NEXT] = None
    request.session[SITTING] = sitting.pk
    rotate_token(request)


def keep_what_is_left(request: HttpRequest) -> None:
    """Nothing of what has been erased stays in the session, from now on."""
    request.session[OWN] = [each.pk for each in own(request)]
    request.session.save()


def let_go(request: HttpRequest) -> None:
    """Nothing of a sitting stays in this browser, nor do its forms work any more."""
    request.session.flush()
    rotate_token(request)


def held(request: HttpRequest) -> Sitting | None:
    """The sitting this browser holds."""
    key = request.session.get(SITTING)
    return find(key) if key is not None else None


def own(request: HttpRequest) -> list[Sitting]:
    """The sittings of the person whose code this browser was given, in their order."""
    return find_all(request.session.get(OWN, []))


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
