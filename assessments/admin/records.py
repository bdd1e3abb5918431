"""What is only read: the journal, by those who run the service."""

from __future__ import annotations

from datetime import date, datetime, time

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.core.validators import MinValueValidator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe
from django_tasks_db.admin import DBTaskResult  # registered by its import, and taken back below

from ..journal_files import FORMATS, export
from ..models import Event
from .access import CarefulAdmin
from .frame import framed

# Its pages are in English and of no use to trainers; jobs tell what they need to know.
admin.site.unregister(DBTaskResult)

JOURNAL_FILE = "assessments_event_file"
LINES = 100
"""Of the journal on a page."""


class ReadOnlyAdmin(CarefulAdmin):
    def has_add_permission(self, request) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False


class Day(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class JournalForm(forms.Form):
    """Which lines of the journal are wanted."""

    since = forms.DateField(
        label=gettext_lazy("From"),
        required=False,
        widget=Day,
        input_formats=["%Y-%m-%d"],
        validators=[MinValueValidator(date(1970, 1, 1))],  # the first days have no hour in UTC
    )
    until = forms.DateField(
        label=gettext_lazy("Until, that day included"),
        required=False,
        widget=Day,
        input_formats=["%Y-%m-%d"],
        validators=[MinValueValidator(date(1970, 1, 1))],
    )
    action = forms.ChoiceField(
        label=gettext_lazy("Action"),
        required=False,
        choices=[("", gettext_lazy("All actions")), *Event.Action.choices],
    )
    person = forms.CharField(
        label=gettext_lazy("By, the name they sign in with"), required=False, max_length=150
    )
    text = forms.CharField(
        label=gettext_lazy("Words in the subject"), required=False, max_length=100
    )

    def clean_person(self):
        name = self.cleaned_data["person"].strip()
        if not name:
            return None
        found = get_user_model().objects.filter(username__iexact=name).first()
        if found is None:
            raise forms.ValidationError(_("Nobody signs in with that name."))
        return found

    def clean(self):
        given = super().clean()
        since, until = given.get("since"), given.get("until")
        if since and until and until < since:
            self.add_error("until", _("This is before the first day."))
        return given

    def events(self) -> QuerySet[Event]:
        """The lines wanted; none where the form is not valid."""
        if not self.is_valid():
            return Event.objects.none()
        given, found = self.cleaned_data, Event.objects.all()
        if given["since"]:
            found = found.filter(at__gte=_at(given["since"], time.min))
        if given["until"]:
            found = found.filter(at__lte=_at(given["until"], time.max))
        if given["action"]:
            found = found.filter(action=given["action"])
        if given["person"]:
            found = found.filter(actor=given["person"])
        if given["text"]:
            found = found.filter(subject__icontains=given["text"])
        return found

    def told(self) -> str:
        """The choice in a few words, for the journal."""
        return " · ".join(f"{name} {value}" for name, value in self.cleaned_data.items() if value)


def _at(day: date, hour: time) -> datetime:
    return timezone.make_aware(datetime.combine(day, hour))


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """The journal, for those who run the service: lines from the last one back, a page at a time
    and never counted, so that a million of them take no longer than a hundred."""

    fields = ("at", "actor", "action", "subject")

    def has_view_permission(self, request, obj=None) -> bool:
        return request.user.has_perm("assessments.view_event")

    def get_urls(self):
        return [
            path(
                "readiness-journal.<str:form>",
                self.admin_site.admin_view(require_safe(self.file_view)),
                name=JOURNAL_FILE,
            ),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context=None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = JournalForm(request.GET)
        found = _after(form.events(), request.GET.get("after", ""))
        shown = list(found.select_related("actor").order_by("-at", "-pk")[: LINES + 1])
        choice = request.GET.copy()
        choice.pop("after", None)
        older = choice.copy()
        older["after"] = str(shown[LINES - 1].pk) if len(shown) > LINES else ""
        return framed(
            self,
            request,
            "event/journal",
            _("Journal"),
            form=form,
            lines=shown[:LINES],
            days=settings.JOURNAL_DAYS,
            choice=choice.urlencode(),
            older=older.urlencode() if older["after"] else "",
            is_first="after" not in request.GET,
            status=422 if form.errors else 200,
        )

    def file_view(self, request: HttpRequest, form: str) -> StreamingHttpResponse:
        """The lines that the page's form chooses, all of them, as a file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = JournalForm(request.GET)
        if form not in FORMATS or not asked.is_valid():
            raise Http404
        assert request.user.is_authenticated
        return StreamingHttpResponse(
            export(asked.events(), form, request.user, asked.told()),
            content_type=FORMATS[form],
            headers={"Content-Disposition": f'attachment; filename="readiness-journal.{form}"'},
        )


def _after(events: QuerySet[Event], key: str) -> QuerySet[Event]:
    """What comes, in the journal read backwards, after a line; all of it where there is none."""
    last = Event.objects.filter(pk=int(key)).first() if key.isdecimal() and len(key) < 19 else None
    if last is None:
        return events
    # The first of the two is what an index can begin at.
    return events.filter(at__lte=last.at).filter(Q(at__lt=last.at) | Q(pk__lt=last.pk))
