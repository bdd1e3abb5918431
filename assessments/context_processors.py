"""What every page of the respondent's door knows."""

from django.conf import settings
from django.http import HttpRequest

from . import rgaa
from .releases import threshold


def service(request: HttpRequest) -> dict[str, object]:
    return {
        "controller": settings.CONTROLLER,
        "contact": settings.CONTACT,
        "legal_basis": settings.LEGAL_BASIS,
        "kept": settings.RETENTION,
        "threshold": threshold(),
        "accessibility": str(rgaa.standing().conformity.label),
    }
