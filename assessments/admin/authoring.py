"""Carrying the questionnaire on: uploading, reading, comparing, publishing, retiring.

A version and a draft are read on the same pages; ``v7`` and ``d7`` name them in addresses.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath

from crispy_forms.utils import render_crispy_form
from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy, override
from django.utils.translation import gettext as _

from .. import instruments
from ..forms import PageForm
from ..instrument.archives import MAX_UPLOAD, ZIP, opened, refusal
from ..instrument.comparison import compare
from ..instrument.document import (
    MAIN_LANGUAGE,
    ContextQuestion,
    Domain,
    Instrument,
    Scenario,
    SelfRating,
    SubCompetency,
    by_code,
)
from ..instrument.loading import InstrumentError, loads
from ..instrument.rules import Finding
from ..models import InstrumentDraft, InstrumentVersion
from ..questionnaire import Item, Page, Part
from ..scoring.sheet import Sheet
from .access import AUTHORING, for_authors
from .frame import framed
from .quality import QualityPages
from .records import ReadOnlyAdmin

UPLOAD = "assessments_instrumentversion_upload"
DOCUMENT = "assessments_instrumentversion_document"
ITEM = "assessments_instrumentversion_item"
COMPARE = "assessments_instrumentversion_compare"
PUBLISH = "assessments_instrumentversion_publish"
RETIRE = "assessments_instrumentversion_retire"
DISCARD = "assessments_instrumentversion_discard"

EVERYBODY = "-"
"""In an address, the wording for those whose profession has none of its own."""
SHOWN_FINDINGS = 300
"""How many findings a page tells; a broken file may have a hundred thousand."""


@dataclass(frozen=True)
class Document:
    """A version or a draft, as the pages show it."""

    row: InstrumentVersion | InstrumentDraft

    @property
    def ref(self) -> str:
        return f"{'d' if self.is_draft else 'v'}{self.row.pk}"

    @property
    def is_draft(self) -> bool:
        return isinstance(self.row, InstrumentDraft)

    @cached_property
    def instrument(self) -> Instrument:
        if isinstance(self.row, InstrumentDraft):
            return instruments.instrument_of_draft(self.row)
        return instruments.instrument_of(self.row.digest)

    def __str__(self) -> str:
        return _("%(name)s (draft)") % {"name": self.row} if self.is_draft else str(self.row)

    def items(self, part: str) -> dict[str, Item]:
        """The items of a part of the questionnaire by their codes, in the order of the pages."""
        match part:
            case "scenarios":
                listed = [item for _, subs in self.tree() for _, held in subs for item in held]
                return dict(by_code(listed))
            case "self-ratings":
                return dict(by_code(self.instrument.self_ratings))
            case "context":
                return dict(by_code(self.instrument.context))
        return {}

    def tree(self) -> list[tuple[Domain, list[tuple[SubCompetency, list[Scenario]]]]]:
        """The scenarios by domain and sub-competency."""
        held = self.instrument
        return [
            (
                domain,
                [
                    (sub, [item for item in held.scenarios if item.sub_competency == sub.code])
                    for sub in held.sub_competencies_of(domain.code)
                ],
            )
            for domain in held.domains
        ]

    def forms(self) -> list[tuple[str, int]]:
        """Each form, with how many scenarios it has."""
        return [(form, len(self.instrument.scenarios_of(form))) for form in self.instrument.forms]

    @property
    def first_language(self) -> str:
        """The reader's language where the instrument has it."""
        spoken = (get_language() or MAIN_LANGUAGE)[:2]
        return spoken if spoken in self.instrument.languages else MAIN_LANGUAGE

    @property
    def reserve(self) -> int:
        return sum(not item.forms for item in self.instrument.scenarios)


def found(ref: str) -> Document:
    """The version or draft of that name; 404 if there is none."""
    kind, key = ref[:1], ref[1:]
    if kind not in ("v", "d") or not (key.isascii() and key.isdecimal()) or len(key) > 18:
        raise Http404
    row: InstrumentVersion | InstrumentDraft | None
    if kind == "v":
        row = InstrumentVersion.objects.defer("document").filter(pk=int(key)).first()
    else:
        row = InstrumentDraft.objects.select_related("uploaded_by").filter(pk=int(key)).first()
    if row is None:
        raise Http404
    return Document(row)


def documents() -> list[Document]:
    """Drafts, the latest first, then versions."""
    return [
        *map(Document, InstrumentDraft.objects.select_related("uploaded_by").defer("document")),
        *map(Document, InstrumentVersion.objects.defer("document")),
    ]


KINDS = {".zip": True, ".yaml": False, ".yml": False}
"""How an upload may be named, and whether it is an archive then."""


class UploadForm(forms.Form):
    """A ZIP archive of an instrument's folder, or one YAML file that holds all of it."""

    document = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy(
            "A ZIP archive of the instrument’s folder, or a single YAML file that holds all of it; "
            "5 MB at most."
        ),
        error_messages={"required": gettext_lazy("Choose a file.")},
    )

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.instrument: Instrument | None = None
        self.findings: tuple[Finding, ...] = ()

    def clean_document(self):
        uploaded = self.cleaned_data["document"]
        if uploaded.size > MAX_UPLOAD:
            raise forms.ValidationError(too_large())
        try:
            content = uploaded.read()
            if KINDS.get(PurePath(uploaded.name).suffix.lower()) is not content.startswith(ZIP):
                raise refusal("archive")
            self.instrument = loads(opened(content))
        except InstrumentError as refused:
            self.findings = refused.findings
            raise forms.ValidationError(
                _("This instrument is refused whole: nothing was stored."), code="refused"
            ) from None
        return uploaded


def too_large() -> str:
    return _("This file is too large: 5 MB at most. Nothing was read or stored.")


@admin.register(InstrumentVersion)
class InstrumentVersionAdmin(QualityPages, ReadOnlyAdmin):
    list_display = ("__str__", "published_on", "retired_on", "quality", "short_digest")
    change_list_template = "admin/assessments/instrumentversion/change_list.html"

    def get_queryset(self, request):
        return super().get_queryset(request).defer("document")

    @admin.display(description="SHA-256")
    def short_digest(self, version: InstrumentVersion) -> str:
        """Its beginning, as reports print it; the version's page has it whole."""
        return f"{version.digest[:12]}…"

    def get_urls(self):
        view = self.admin_site.admin_view
        under = "documents/<str:ref>/"
        item = f"{under}<str:part>/<str:code>/<str:language>/<str:profession>/"
        return [
            path("upload/", view(self.upload_view), name=UPLOAD),
            path(under, view(self.document_view), name=DOCUMENT),
            path(f"{under}compare/<str:other>/", view(self.compare_view), name=COMPARE),
            path(f"{under}publish/", view(self.publish_view), name=PUBLISH),
            path(f"{under}retire/", view(self.retire_view), name=RETIRE),
            path(f"{under}discard/", view(self.discard_view), name=DISCARD),
            path(item, view(self.item_view), name=ITEM),
            *super().get_urls(),
        ]

    # --- Lists --------------------------------------------------------------------------------

    def changelist_view(self, request, extra_context=None):
        authors = request.user.has_perm(AUTHORING)
        drafts = InstrumentDraft.objects.select_related("uploaded_by").defer("document")
        return super().changelist_view(
            request,
            {
                "title": _("The questionnaire: versions and drafts"),
                "authors": authors,
                "drafts": [Document(draft) for draft in drafts] if authors else [],
                "current": instruments.current(),
                **(extra_context or {}),
            },
        )

    def change_view(self, request, object_id, form_url="", extra_context=None):
        version = self.get_object(request, object_id)
        if request.method == "POST" or version is None or not self.has_view_permission(request):
            return super().change_view(request, object_id, form_url, extra_context)
        return self.to(Document(version))

    # --- Uploading ----------------------------------------------------------------------------

    @for_authors
    def upload_view(self, request: HttpRequest) -> HttpResponse:
        """Read what is uploaded: a draft where nothing is found against it, else the findings."""
        posted = request.method == "POST"
        form = UploadForm(request.POST, request.FILES) if posted else UploadForm()
        if posted:
            assert request.user.is_authenticated
            if form.is_valid() and form.instrument is not None:
                try:
                    draft, is_new = instruments.keep_draft(form.instrument, request.user)
                except instruments.AlreadyPublished as known:
                    self.message_user(
                        request, _("This very document is published already."), messages.WARNING
                    )
                    return self.to(Document(known.version))
                self.message_user(
                    request,
                    _("Nothing was found against it: it is kept as a draft.")
                    if is_new
                    else _("This very document was uploaded before: here is its draft."),
                )
                return self.to(Document(draft))
        return self.page(
            request,
            "upload",
            _("Upload a version"),
            form=form,
            findings=[(each, each.message(_)) for each in form.findings[:SHOWN_FINDINGS]],
            count=len(form.findings),
            most=SHOWN_FINDINGS,
            status=422 if form.errors else 200,
        )

    # --- Reading ------------------------------------------------------------------------------

    @for_authors
    def document_view(self, request: HttpRequest, ref: str) -> HttpResponse:
        document = found(ref)
        return self.page(
            request,
            "document",
            str(document),
            document=document,
            others=[each for each in documents() if each.ref != ref],
            current=instruments.current(),
            today=timezone.localdate(),
            taken=document.is_draft
            and InstrumentVersion.objects.filter(
                code=document.row.code, version=document.row.version
            ).exists(),
            everybody=EVERYBODY,
        )

    @for_authors
    def item_view(
        self,
        request: HttpRequest,
        ref: str,
        part: str,
        code: str,
        language: str,
        profession: str,
    ) -> HttpResponse:
        """An item as whoever answers sees it; a scenario's key apart."""
        document = found(ref)
        instrument = document.instrument
        items = document.items(part)
        item = items.get(code)
        if item is None or language not in instrument.languages:
            raise Http404
        professions: list[tuple[str, dict[str, str] | None]] = [(EVERYBODY, None)]
        if isinstance(item, Scenario):
            named = {each for variant in item.variants for each in variant.professions}
            asked = by_code(instrument.context).get("profession")
            professions += [
                (choice.code, choice.text)
                for choice in (asked.options if asked else ())
                if choice.code in named
            ]
        if profession not in dict(professions):
            raise Http404
        if isinstance(item, Scenario):
            item = item.worded_for(profession)
        with override(language):
            question = render_crispy_form(preview_form(instrument, item))
            key = (
                render_to_string(
                    "admin/assessments/instrumentversion/key.html",
                    {
                        "item": item,
                        "sources": [instrument.source(each) for each in item.sources],
                        "lettered": [(option.code.upper(), option) for option in item.options],
                    },
                )
                if isinstance(item, Scenario)
                else ""
            )
        request.current_app = self.admin_site.name
        siblings = list(items)
        place = siblings.index(code)
        return TemplateResponse(
            request,
            "admin/assessments/instrumentversion/item.html",
            {
                "title": _("Preview: %(code)s") % {"code": code},
                "document": document,
                "part": part,
                "item": item,
                "code": code,
                "question": question,
                "key": key,
                "shown_language": language,
                "languages": [
                    (each, LANGUAGE_NAMES.get(each, each)) for each in instrument.languages
                ],
                "professions": professions,
                "profession": profession,
                "everybody": EVERYBODY,
                "intro": instrument.self_rating_intro[language] if part == "self-ratings" else "",
                "previous": siblings[place - 1] if place else None,
                "following": siblings[place + 1] if place + 1 < len(siblings) else None,
            },
        )

    @for_authors
    def compare_view(self, request: HttpRequest, ref: str, other: str) -> HttpResponse:
        """What has changed from ``other`` to ``ref``, item by item."""
        after, before = found(ref), found(other)
        return self.page(
            request,
            "compare",
            _("What has changed"),
            document=after,
            before=before,
            comparison=compare(before.instrument, after.instrument),
        )

    # --- Acting -------------------------------------------------------------------------------

    @for_authors
    def publish_view(self, request: HttpRequest, ref: str) -> HttpResponse:
        """Asks before, for publishing is final; a POST publishes."""
        document = found(ref)
        if not isinstance(document.row, InstrumentDraft):
            return self.to(document)
        if request.method == "POST":
            assert request.user.is_authenticated
            try:
                version = instruments.publish_draft(document.row, request.user)
            except instruments.PublicationError as refused:
                self.message_user(request, str(refused), messages.ERROR)
                return self.to(document)
            except instruments.NoDraft:
                return self.too_late(request)
            self.message_user(request, _("%(version)s is published.") % {"version": version})
            return self.to(Document(version))
        current = instruments.current()
        return self.page(
            request,
            "publish",
            _("Publish this version"),
            document=document,
            current=Document(current) if current else None,
        )

    @for_authors
    def retire_view(self, request: HttpRequest, ref: str) -> HttpResponse:
        """Asks before, for a retired version does not come back; a POST retires."""
        document = found(ref)
        version = document.row
        if not isinstance(version, InstrumentVersion) or version.retired_on is not None:
            return self.to(document)
        if request.method == "POST":
            assert request.user.is_authenticated
            if instruments.retire(version, request.user):
                self.message_user(request, _("%(version)s is retired.") % {"version": version})
            return self.to(document)
        left = [
            each
            for each in InstrumentVersion.objects.defer("document").filter(retired_on=None)
            if each.pk != version.pk
        ]
        return self.page(
            request,
            "retire",
            _("Retire this version"),
            document=document,
            is_current=version == instruments.current(),
            following=left[0] if left else None,
        )

    @for_authors
    def discard_view(self, request: HttpRequest, ref: str) -> HttpResponse:
        document = found(ref)
        if not isinstance(document.row, InstrumentDraft):
            return self.to(document)
        if request.method == "POST":
            assert request.user.is_authenticated
            try:
                instruments.discard(document.row, request.user)
            except instruments.NoDraft:
                return self.too_late(request)
            self.message_user(request, _("The draft is discarded."))
            return self.to_list()
        return self.page(request, "discard", _("Discard this draft"), document=document)

    # --- Common -------------------------------------------------------------------------------

    def page(
        self, request: HttpRequest, name: str, title: str, status: int = 200, **context
    ) -> HttpResponse:
        return framed(self, request, f"instrumentversion/{name}", title, status=status, **context)

    def address(self, name: str, *args: object) -> str:
        return reverse(f"{self.admin_site.name}:{name}", args=args)

    def to_list(self) -> HttpResponseRedirect:
        return HttpResponseRedirect(self.address("assessments_instrumentversion_changelist"))

    def too_late(self, request: HttpRequest) -> HttpResponseRedirect:
        self.message_user(
            request,
            _("The draft has been published or discarded in the meantime."),
            messages.WARNING,
        )
        return self.to_list()

    def to(self, document: Document) -> HttpResponseRedirect:
        return HttpResponseRedirect(self.address(DOCUMENT, document.ref))


LANGUAGE_NAMES = {"fr": "Français", "en": "English"}


def preview_form(instrument: Instrument, item: Item) -> PageForm:
    """The form of a page on which an item stands alone, unanswered."""
    match item:
        case ContextQuestion():
            part: Part = "context"
        case SelfRating():
            part = "self-ratings"
        case Scenario():
            part = "scenarios"
    return PageForm(
        instrument=instrument,
        page=Page(part, 1, 1, (item,)),
        sheet=Sheet(),
        numbers={item.code: 1},
    )
