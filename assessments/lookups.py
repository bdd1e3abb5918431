"""Rows that nearly every request asks for.

To write the SQL of a query takes Django several times as long as to have one row found by it; here
it is written once.
"""

from __future__ import annotations

from django.db import connection
from django.db.models import Model, QuerySet


class Lookup[Row: Model]:
    """Finds a row of a queryset by its primary key. The queryset holds no value of its own, or
    else ValueError at the first row that is asked for, and annotates plain columns alone."""

    def __init__(self, queryset: QuerySet[Row]) -> None:
        self.queryset = queryset
        self._sql = ""

    def __call__(self, key: object) -> Row | None:
        if key is None:
            return None
        if not self._sql:
            sql, values = self.queryset.filter(pk=key).order_by().query.sql_with_params()
            if len(values) != 1:
                raise ValueError("the queryset holds a value of its own")
            self._sql = sql
        model = self.queryset.model
        value = model._meta.pk.get_db_prep_value(key, connection)
        found: Row | None = next(iter(model._base_manager.raw(self._sql, [value])), None)
        return found
