"""Rows that nearly every request asks for.

To write the SQL of a query, and to find out which column is which, takes Django several times as
long as to have one row found by it; here it is done once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Model, QuerySet


@dataclass(frozen=True, slots=True)
class _Written:
    """A query as Django wrote it, and how it would read the row."""

    sql: str
    fields: list[str]
    """Of the model, in the order of their columns, which come first."""
    annotations: dict[str, int]
    """The column of each."""
    converters: dict[int, tuple[list[Callable[..., Any]], Any]]
    """Of some columns: what makes of a value what the field holds."""


class _Asked[Row: Model]:
    """A question that is asked again and again. Its queryset holds no value of its own, or else
    ValueError at the first row that is asked for, and follows no relation."""

    def __init__(self, queryset: QuerySet[Row]) -> None:
        self.queryset = queryset
        self._written: _Written | None = None

    def _answer(self, ask: Callable[[], QuerySet[Row]], *values: Any) -> Row | None:
        """The first row, where the queryset that is to be written down is asked with values."""
        written = self._written = self._written or self._write(ask(), len(values))
        model = self.queryset.model
        with connection.cursor() as cursor:
            cursor.execute(written.sql, list(values))
            row = cursor.fetchone()
        if row is None:
            return None
        if written.converters:
            row = list(row)
            for column, (converters, expression) in written.converters.items():
                for converted in converters:
                    row[column] = converted(row[column], expression, connection)
        found = model.from_db(connection.alias, written.fields, row[: len(written.fields)])
        for name, column in written.annotations.items():
            setattr(found, name, row[column])
        return found

    @staticmethod
    def _write(queryset: QuerySet[Row], most: int) -> _Written:
        compiler = queryset.query.get_compiler(connection=connection)
        sql, values = compiler.as_sql()
        if len(values) != most:
            raise ValueError("the queryset holds a value of its own")
        selected = [expression for expression, _sql, _alias in compiler.select]
        columns = compiler.klass_info["select_fields"]
        assert columns == list(range(len(columns))), "the model's own columns come first"
        return _Written(
            sql,
            [selected[column].target.attname for column in columns],
            dict(compiler.annotation_col_map),
            compiler.get_converters(selected),
        )


class Lookup[Row: Model](_Asked[Row]):
    """Finds a row of a queryset by its primary key."""

    def __call__(self, key: object) -> Row | None:
        if key is None:
            return None
        value = self.queryset.model._meta.pk.get_db_prep_value(key, connection)
        return self._answer(lambda: self.queryset.filter(pk=key).order_by(), value)


class First[Row: Model](_Asked[Row]):
    """Finds the first row of a queryset, in its order."""

    def __call__(self) -> Row | None:
        return self._answer(lambda: self.queryset[:1])
