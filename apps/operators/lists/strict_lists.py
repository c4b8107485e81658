"""Lists that bear any query, and that answer no question about a column that they do not show."""

from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation, ValidationError
from django.db import DatabaseError, DataError, ProgrammingError
from django.db.models import QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin
from unfold.views import ChangeList


class StrictChangeList(ChangeList):
    """Refuses a wrong query. Django finds some faults of a query only when the database, or its driver, fails on it."""

    def __init__(self, request: HttpRequest, *args: Any, **options: Any) -> None:
        try:
            super().__init__(request, *args, **options)
        except (SuspiciousOperation, PermissionDenied, DatabaseError) as error:
            if isinstance(error, ProgrammingError | DataError) and request.GET:
                raise _wrong_query(request) from error
            raise
        except Exception as error:
            if not request.GET:  # then the query is not to blame
                raise
            raise _wrong_query(request) from error


def _wrong_query(request: HttpRequest) -> Exception:
    """Django answers the first with the list without a query. If that fails too, a page says that the request is wrong."""
    return BadRequest() if ERROR_FLAG in request.GET else IncorrectLookupParameters()


class StrictLists(ModelAdmin):
    """A page with a strict list."""

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[StrictChangeList]:
        return StrictChangeList

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **options: Any
    ) -> HttpResponse | None:
        """Act on a selection. Django looks the rows up by whatever is posted, and fails where no key can look like it."""
        for chosen in request.POST.getlist(ACTION_CHECKBOX_NAME):
            self._refuse_impossible_key(chosen)
        return super().response_action(request, queryset, *args, **options)

    def _refuse_impossible_key(self, text: str) -> None:
        try:
            self.opts.pk.to_python(text)
        except ValidationError as error:
            raise BadRequest from error

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Only columns that the page shows: `?digest__startswith=a` would tell a hidden one letter by letter."""
        column = lookup.partition(LOOKUP_SEP)[0]
        hidden = {field.name for field in self.opts.get_fields()} - self._shown_columns(request)
        return column not in hidden and super().lookup_allowed(lookup, value, request)

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        """Rows are chosen by their key. Django's own check fails for the other side of a one-to-one relation."""
        return to_field == self.opts.pk.name and super().to_field_allowed(request, to_field)

    def _column_behind(self, name: str) -> str:
        """The column that a method of the page shows in words, if it is one."""
        return str(getattr(getattr(self, name, None), "admin_order_field", None) or "")

    def _shown_columns(self, request: HttpRequest) -> set[str]:
        filters = [
            item[0] if isinstance(item, tuple | list) else item
            for item in self.list_filter
            if not isinstance(item, type)
        ]
        names = [*self.list_display, *flatten_fieldsets(self.get_fieldsets(request))]
        shown = [
            *names,
            *(self._column_behind(str(name)) for name in names),
            self.date_hierarchy or "",
            *filters,
        ]
        return {"id", self.opts.pk.name, *(str(name).partition(LOOKUP_SEP)[0] for name in shown)}
