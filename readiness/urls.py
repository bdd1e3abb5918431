"""The three doors: the respondent's pages, the trainers' admin, the operator's health address."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("assessments.urls")),
]
