"""The questions, page by page; the review; finishing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import get_script_prefix, reverse
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from .. import reports, sittings
from ..context_processors import service
from ..forms import DeedsForm, PageForm, chosen_on
from ..instrument.document import MAIN_LANGUAGE
from ..models import Sitting
from ..questionnaire import SECONDS_A_STEP, Page, Questionnaire, answered
from ..scoring.sheet import Sheet, SheetError
from ..sittings import Conflict, Erased, Finished, Plan, questionnaire_of, sheet_of
from . import asking, errors
from .asking import go
from .kept import TOKEN, KeptPage, may_be_kept, stand_in, with_token
from .language import known_language, spoken
from .session import get_or_post, held, let_go, own, private

FOLLOWED = "steps"
"""The page that asks what became of the steps chosen before: it comes first at a follow-up."""


@require_safe
@private
def where_one_was(request: HttpRequest, sitting: Sitting) -> HttpResponse:
    """Continue after the last page that was answered, or on it while it misses something."""
    if sitting.finished_on is not None:
        return redirect("results")
    if not sittings.takes_answers(sitting) and sittings.unanswered_phase(own(request)):
        return redirect("again")  # the group has gone on to its next moment
    return redirect(way_on(request, sitting))


def way_on(request: HttpRequest, sitting: Sitting) -> str:
    """The address at which a sitting goes on."""
    if sitting.finished_on is not None:
        return reverse("results")
    if sitting.deeds is None and not any(sitting.answers) and _followed(request, sitting):
        return _first_address()
    page = questionnaire_of(sitting).where_one_was(bytes(sitting.answers))
    return _address(page) if page else reverse("review")


@never_cache
@get_or_post
def page(request: HttpRequest, part: str, number: int) -> HttpResponse:
    """One page of questions."""
    sitting = held(request)
    if sitting is None:
        if request.method != "POST":
            return redirect("resume")
        return errors.ended(request, part, number)
    if request.method == "POST":
        return answer(request, sitting, part, number, request.POST)
    if sitting.finished_on is not None:
        return redirect("results")
    if part == FOLLOWED:
        plans = _followed(request, sitting)
        if not plans or number != 1:
            raise Http404
        return _show_followed(request, sitting, _deeds_form(sitting, plans, None))
    asked = questionnaire_of(sitting)
    return _show(request, sitting, _page(asked, part, number))


def answer(
    request: HttpRequest, sitting: Sitting, part: str, number: int, data: QueryDict
) -> HttpResponse:
    """Keep a posted page and go where the button said; a script may have it kept, and stay."""
    if sitting.finished_on is not None:
        return go(request, "results")
    if part == FOLLOWED:
        return _answer_followed(request, sitting, data)
    asked = questionnaire_of(sitting)
    shown = _page(asked, part, number)
    chosen = known_language(data.get("language"))
    form = _form_of(asked, shown, Sheet(), data)
    if not form.is_valid():
        return _show(request, sitting, shown, form, status=422)
    seen = form.seen_of(sitting)
    if seen is None:
        return _another_displayed_it(request, _address(shown))
    try:
        sittings.save_page(
            sitting, shown, form.sheet(), seen=seen, language=chosen or get_language()
        )
    except Finished:
        return go(request, "results")
    except Erased:
        let_go(request)
        return go(request, "resume")
    except SheetError:
        form.add_error(None, _("Some answers could not be read. Please choose them again."))
        return _show(request, sitting, shown, form, status=422)
    except Conflict:
        form.add_error(None, _changed_since())
        return _show(request, sitting, shown, form, status=409)
    if chosen:
        return spoken(go(request, _address(shown)), chosen)
    match data.get("go"):
        case asking.KEEP:
            seen_now = form.seen_by(sitting, asked.part(shown, bytes(sitting.answers)))
            return asking.stay(seen_now, whole=form.is_whole())
        case "back":
            target = asked.page_at(shown.place - 1)
            if target is None and _followed(request, sitting):
                return go(request, _first_address())
            return go(request, _address(target or shown))
        case "later":
            return go(request, "leave")
        case "review":
            return go(request, "review")
    following = asked.page_at(shown.place + 1)
    return go(request, _address(following) if following else "review")


def _answer_followed(request: HttpRequest, sitting: Sitting, data: QueryDict) -> HttpResponse:
    """Keep what became of the steps chosen before, and go where the button said."""
    form = _deeds_form(sitting, _followed(request, sitting), data)
    seen = form.seen_deeds()
    if seen is None or not form.plans:
        return _another_displayed_it(request, way_on(request, sitting))
    if not form.is_valid():
        return _show_followed(request, sitting, form, status=422)
    try:
        sittings.keep_deeds(sitting, form.deeds(), seen=seen)
    except Finished:
        return go(request, "results")
    except Erased:
        let_go(request)
        return go(request, "resume")
    except Conflict:
        form.add_error(None, _changed_since())
        return _show_followed(request, sitting, form, status=409)
    if chosen := known_language(data.get("language")):
        return spoken(go(request, _first_address()), chosen)
    match data.get("go"):
        case asking.KEEP:
            return asking.stay(form.seen_by(sitting, sittings.deeds_of(sitting)), whole=True)
        case "later":
            return go(request, "leave")
    return go(request, _address(questionnaire_of(sitting).pages[0]))


def _another_displayed_it(request: HttpRequest, address: str) -> HttpResponse:
    words = _(
        "That page had been displayed for another questionnaire, opened in this browser "
        "before. Nothing of it was saved in this one."
    )
    if asking.by_script(request):
        return asking.said(409, words)
    messages.warning(request, words)
    return redirect(address)


def _changed_since() -> str:
    return _(
        "This page has been answered differently since it was displayed, in another tab "
        "or on another device perhaps. What you see here is not saved yet: check it, then "
        "save to keep it."
    )


@get_or_post
@private
def review(request: HttpRequest, sitting: Sitting) -> HttpResponse:
    """What is unanswered, one press away; finishing is explicit."""
    if sitting.finished_on is not None:
        return redirect("results")
    asked = questionnaire_of(sitting)
    sheet = sheet_of(sitting)
    if request.method == "POST":
        if language := known_language(request.POST.get("language")):
            return spoken(redirect("review"), language)
        if sheet.answers:
            sittings.finish(sitting)
            return redirect("results")
        messages.warning(
            request, _("Answer at least one situation: without any, there is no result to show.")
        )
    missing = [
        (page, [item for item in page.items if not answered(item, sheet)])
        for page in asked.pages
        if page.part != "context"
    ]
    deeds = sittings.deeds_of(sitting)
    followed = [plan for plan in _followed(request, sitting) if plan.step not in deeds]
    return render(
        request,
        "assessments/review.html",
        {
            "sitting": sitting,
            "asked": asked,
            "missing": [(page, _address(page), items) for page, items in missing if items],
            "followed": [(plan, reports.intention_of(plan)) for plan in followed],
            "followed_address": _first_address(),
            "count": sum(len(items) for _page, items in missing) + len(followed),
            "back": _address(asked.pages[-1]),
            "mine": own(request),
        },
    )


def _page(asked: Questionnaire, part: str, number: int) -> Page:
    found = asked.page(part, number)
    if found is None:
        raise Http404
    return found


def _address(page: Page) -> str:
    return reverse("page", kwargs={"part": page.part, "number": page.number})


def _first_address() -> str:
    return reverse("page", kwargs={"part": FOLLOWED, "number": 1})


def _followed(request: HttpRequest, sitting: Sitting) -> tuple[Plan, ...]:
    """The steps that a follow-up asks this browser's person about."""
    if not sittings.is_follow_up(sitting):
        return ()  # nothing is looked up
    return sittings.plans_followed(sitting, own(request))


def _deeds_form(sitting: Sitting, plans: Sequence[Plan], data: QueryDict | None) -> DeedsForm:
    return DeedsForm(data, sitting=sitting, plans=plans, deeds=sittings.deeds_of(sitting))


def _show_followed(
    request: HttpRequest, sitting: Sitting, form: DeedsForm, status: int = 200
) -> HttpResponse:
    asked = questionnaire_of(sitting)
    if form.is_bound and asking.by_script(request):
        return asking.said(status, *asking.errors_of(form))
    if form.is_bound:
        # From now on the reader has seen what is stored: saving again is a decision.
        data = QueryDict(mutable=True)
        data.update(form.data)
        data["seen"] = form.seen_by(sitting, sittings.deeds_of(sitting))
        form.data = data
    return render(
        request,
        "assessments/followed.html",
        {
            "sitting": sitting,
            "instrument": asked.instrument,
            "form": form,
            "asked": [(plan, reports.intention_of(plan), field) for plan, field in form.asked()],
            "total": len(asked.pages) + 1,
            "minutes": asked.minutes(and_seconds=SECONDS_A_STEP * len(form.plans)),
        },
        status=status,
    )


def _show(
    request: HttpRequest,
    sitting: Sitting,
    page: Page,
    form: PageForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """A page with what is kept of it, or with what was sent and why it was not kept."""
    if form and asking.by_script(request):
        return asking.said(status, *asking.errors_of(form))
    asked = questionnaire_of(sitting)
    # Whoever is shown this has seen what is stored: saving again is a decision.
    stored = asked.part(page, bytes(sitting.answers))
    seen = PageForm.seen_by(sitting, stored)
    before = 1 if _followed(request, sitting) else 0
    if form or not may_be_kept(request):
        shown = form or _form_of(asked, page, asked.sheet_of_page(page, stored))
        context = _told(asked, page, before, shown) | {"seen": seen}
        return render(request, "assessments/page.html", context, status=status)
    accessibility = str(service(request)["accessibility"])
    language = get_language() or MAIN_LANGUAGE
    kept = _kept_page(asked, page.place, before, language, get_script_prefix(), accessibility)
    html = kept.with_chosen(chosen_on(page, asked.sheet_of_page(page, stored)))
    return HttpResponse(with_token(html, request).replace(SEEN.encode(), seen.encode()))


SEEN = stand_in()
"""For what the hidden field holds."""


@lru_cache(maxsize=512)
def _kept_page(
    asked: Questionnaire, place: int, before: int, language: str, prefix: str, accessibility: str
) -> KeptPage:
    """A page of questions with nothing answered, in a service reached below ``prefix``.

    It is the same for everybody, and what is published never changes. No request gets in here, so
    that nothing of a person's can be kept.
    """
    page = asked.page_at(place)
    assert page is not None
    with override(language):
        context = _told(asked, page, before, _form_of(asked, page, Sheet())) | {
            "accessibility": accessibility,
            "csrf_token": TOKEN,
            "seen": SEEN,
        }
        return KeptPage(render_to_string("assessments/page.html", context))


def _form_of(
    asked: Questionnaire, page: Page, sheet: Sheet, data: QueryDict | None = None
) -> PageForm:
    return PageForm(
        data, instrument=asked.instrument, page=page, sheet=sheet, numbers=asked.numbers
    )


def _told(asked: Questionnaire, page: Page, before: int, form: PageForm) -> dict[str, object]:
    """What a page of questions tells whoever it is shown to."""
    domain = asked.instrument.domains[page.number - 1] if page.part == "self-ratings" else None
    return {
        "instrument": asked.instrument,
        "page": page,
        "domain": domain,
        "form": form,
        "first_number": asked.numbers.get(page.items[0].code),
        "last_number": asked.numbers.get(page.items[-1].code),
        "first": page.place + before == 1,
        "place": page.place + before,
        "total": len(asked.pages) + before,
        "last": page.place == len(asked.pages),
        "minutes": asked.minutes(page.place),
    }
