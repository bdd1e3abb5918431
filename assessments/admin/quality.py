"""How good each form of a version is as a measure: its calibrations, for those who write it.

It reads :class:`~assessments.models.Calibration` rows, which ``manage.py calibrate`` publishes,
and never a sitting: how many have answered since is not told, and could not be.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import wraps

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .. import quality_charts
from ..cohort.dif import GROUP_MIN
from ..cohort.psychometrics import N_MIN
from ..cohort.quality import (
    OVERFIT,
    UNDERFIT,
    WEAK,
    Chosen,
    Comparison,
    Item,
    ItemDifference,
    Quality,
    Remark,
    needed_since,
    remarks,
)
from ..instrument.document import Instrument, Option, Scenario, Text, by_code
from ..instruments import calibrations_of, instrument_of, quality_of
from ..models import Calibration, InstrumentVersion
from ..scoring.sheet import DONT_KNOW
from ..templatetags.readiness import form_label
from .frame import framed

QUALITY = "assessments_instrumentversion_quality"
CALIBRATION = "assessments_instrumentversion_calibration"


@dataclass(frozen=True, slots=True)
class Choice:
    letter: str
    """Empty for "I don't know"."""
    option: Option | None
    text: Text
    chosen: Chosen


@dataclass(frozen=True, slots=True)
class Line:
    """What a page says of one scenario."""

    number: int
    """Its place in the form, from 1."""
    item: Item
    scenario: Scenario
    remarks: tuple[Remark, ...]
    choices: tuple[Choice, ...]
    unused: bool
    """Whether nobody chose its acceptable option."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Two classes of people, by their names."""

    title: str
    focal: Text
    reference: Text
    told: bool
    """Whether it could be told at all."""
    differing: tuple[tuple[Line, ItemDifference], ...]
    untold: tuple[Line, ...]
    """Items of which it could not be told."""


def lines(instrument: Instrument, found: Quality) -> tuple[Line, ...]:
    scenarios = by_code(instrument.scenarios)
    return tuple(
        Line(
            number=number,
            item=item,
            scenario=scenarios[item.code],
            remarks=remarks(found, item, scenarios[item.code]),
            choices=_choices(instrument, scenarios[item.code], item),
            unused=item.unused(scenarios[item.code]),
        )
        for number, item in enumerate(found.items, 1)
    )


def _choices(instrument: Instrument, scenario: Scenario, item: Item) -> tuple[Choice, ...]:
    options = by_code(scenario.options)
    letters = {code: chr(ord("A") + place) for place, code in enumerate(options)}
    return tuple(
        Choice("", None, instrument.dont_know, chosen)
        if chosen.option == DONT_KNOW
        else Choice(
            letters[chosen.option], options[chosen.option], options[chosen.option].text, chosen
        )
        for chosen in item.options
    )


def compared(instrument: Instrument, comparison: Comparison, by_item: dict[str, Line]) -> Compared:
    names: dict[str, Text]
    if comparison.attribute == "language":
        title = _("By language")
        names = {
            "fr": {"fr": "français", "en": "French"},
            "en": {"fr": "anglais", "en": "English"},
        }
    else:
        title = _("By profession")
        question = by_code(instrument.context)[comparison.attribute]
        names = {option.code: option.text for option in question.options}
    return Compared(
        title=title,
        focal=names.get(comparison.focal, {"fr": comparison.focal}),
        reference=names.get(comparison.reference, {"fr": comparison.reference}),
        told=bool(comparison.items),
        differing=tuple(
            (by_item[each.code], each)
            for each in comparison.items
            if each.size in ("moderate", "large")
        ),
        untold=tuple(by_item[each.code] for each in comparison.items if each.size is None),
    )


class QualityPages(admin.ModelAdmin):
    """What the admin of versions shows of their quality, to whoever may read versions."""

    @admin.display(description=gettext_lazy("quality"))
    def quality(self, version: InstrumentVersion) -> str:
        """The link that a version's own pages show."""
        address = reverse(f"{self.admin_site.name}:{QUALITY}", args=(version.pk,))
        return format_html('<a href="{}">{}</a>', address, _("Quality of the measure"))

    def get_urls(self) -> list:
        view = self.admin_site.admin_view
        under = "<int:version_id>/quality/"
        return [
            path(under, view(_for_readers(self.quality_view)), name=QUALITY),
            path(
                f"{under}<int:calibration_id>/",
                view(_for_readers(self.calibration_view)),
                name=CALIBRATION,
            ),
            *super().get_urls(),
        ]

    def quality_view(self, request: HttpRequest, version: InstrumentVersion) -> HttpResponse:
        """Every form of a version, and its calibrations."""
        instrument = instrument_of(version.digest)
        forms = [
            (form, [(each, quality_of(each.digest).scales) for each in made])
            for form, made in calibrations_of(version).items()
        ]
        return self._page(
            request,
            "versions",
            version,
            _("Quality of the measure"),
            forms=forms,
            domains=by_code(instrument.domains),
            needed=N_MIN,
        )

    def calibration_view(
        self, request: HttpRequest, version: InstrumentVersion, calibration_id: int
    ) -> HttpResponse:
        """One calibration, whole."""
        made = version.calibrations.defer("document").filter(pk=calibration_id).first()
        if made is None:
            raise Http404
        instrument, found = instrument_of(version.digest), quality_of(made.digest)
        every = lines(instrument, found)
        by_item = {line.item.code: line for line in every}
        return self._page(
            request,
            "calibration",
            version,
            _("Form %(form)s") % {"form": form_label(made.form)},
            calibration=made,
            found=found,
            is_last=_is_last(version, made),
            domains=by_code(instrument.domains),
            lines=every,
            looked_at=[line for line in every if line.remarks],
            ordered=[by_item[item.code] for item in quality_charts.in_order(found.items)],
            chart=quality_charts.item_map(found),
            comparisons=[compared(instrument, each, by_item) for each in found.comparisons],
            group_min=GROUP_MIN,
            again_after=needed_since(found.n),
            rules={"weak": WEAK, "overfit": OVERFIT, "underfit": UNDERFIT},
        )

    def _page(
        self, request: HttpRequest, name: str, version: InstrumentVersion, title: str, **context
    ) -> HttpResponse:
        return framed(
            self,
            request,
            f"quality/{name}",
            title,
            subtitle=str(version),
            version=version,
            **context,
        )


def _is_last(version: InstrumentVersion, made: Calibration) -> bool:
    return calibrations_of(version)[made.form][0].pk == made.pk


def _for_readers(view):
    """A page under a version, for whoever may read versions: ``view(request, version, …)``."""

    @wraps(view)
    def guarded(request: HttpRequest, version_id: int, **more) -> HttpResponse:
        self: admin.ModelAdmin = view.__self__
        if not self.has_view_permission(request):
            raise PermissionDenied
        version = self.get_queryset(request).filter(pk=version_id).first()
        if version is None:
            raise Http404
        return view(request, version, **more)

    return guarded
