"""Lists that cost the same with a hundred rows and with a hundred million: the base of every page of the admin."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.contrib.admin import ShowFacets
from django.contrib.admin.utils import get_fields_from_path
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.core.exceptions import ValidationError
from django.core.paginator import EmptyPage, Page, Paginator
from django.db.models import ForeignKey, Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from apps.operators.lists import counts, keyset, searches
from apps.operators.lists.counts import Count
from apps.operators.lists.searches import Search
from apps.operators.lists.strict_lists import StrictChangeList, StrictLists

if TYPE_CHECKING:  # they take a type in their stubs alone
    PageOfRows = Page[Any]
    PaginatorOfRows = Paginator[Any]
else:
    PageOfRows = Page
    PaginatorOfRows = Paginator

ROWS_OF_A_PAGE = 25


class Pages:
    """What unfold shows under a list in the place of numbered pages."""

    template_name = "operators/lists/pages.html"

    def __init__(self, rows: "KeysetChangeList", page: keyset.KeysetPage, count: Count) -> None:
        self.count = count
        self.first = "" if page.is_first else rows.get_query_string()
        self.previous = page.previous and rows.get_query_string({keyset.BEFORE: page.previous})
        self.next = page.next and rows.get_query_string({keyset.AFTER: page.next})


class KeysetChangeList(StrictChangeList):
    """Reads one page by the place of a row, and never all rows to count them."""

    def get_filters(self, request: HttpRequest) -> Any:
        """The place is no filter, and what leads to other rows does not keep it."""
        for name in (keyset.AFTER, keyset.BEFORE):
            self.params.pop(name, None)
            self.filter_params.pop(name, None)
        return super().get_filters(request)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """Only columns that the page offers: another would have the database sort every row, and NULL has no place."""
        chosen = self.params.get("o", "").split(".")
        if not all(self._is_offered(number.lstrip("-")) for number in chosen):
            self.params.pop("o", None)
        ordering: list[Any] = super().get_ordering(request, queryset)
        return ordering

    def _is_offered(self, number: str) -> bool:
        is_column = number.isdecimal() and int(number) < len(self.list_display)
        return is_column and self.list_display[int(number)] in (self.sortable_by or ())

    def get_results(self, request: HttpRequest) -> None:
        page = keyset.page_of(self.queryset, request.GET, self.list_per_page)
        is_whole = page.is_first and page.next is None
        count = Count(len(page.rows)) if is_whole else counts.count(self.queryset)
        self.result_list = page.rows
        self.result_count = count.number
        self.full_result_count = count.number  # Django offers all rows where these differ
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.can_show_all = self.multi_page = False
        self.paginator = Pages(self, page, count)


class _ByKey:
    """Django's own fails when a form comes back with what can be no key."""

    field: Any

    def optgroups(self, name: str, value: Sequence[str], attr: Any = None) -> Any:
        widget: Any = super()
        return widget.optgroups(name, [text for text in value if self._can_be_key(text)], attr)

    def _can_be_key(self, text: str) -> bool:
        try:
            self.field.target_field.to_python(text)
        except ValidationError:
            return False
        return True


class ChoicesPage(PageOfRows):
    """Knows whether others come after it, and not how many."""

    has_more = False

    def has_next(self) -> bool:
        return self.has_more


class ChoicesPaginator(PaginatorOfRows):
    """Of the choices that are looked up. Django's own counts all of them for each letter that is typed."""

    def page(self, number: Any) -> Any:
        """Reads one row more than it shows. Raises EmptyPage."""
        before = (int(number) - 1) * self.per_page
        if before < 0:
            raise EmptyPage
        rows = list(self.object_list[before : before + self.per_page + 1])
        found = ChoicesPage(rows[: self.per_page], int(number), self)
        found.has_more = len(rows) > self.per_page
        return found


class LookedUpChoice(_ByKey, AutocompleteSelect):
    """A choice that is looked up as one types."""


class LookedUpChoices(_ByKey, AutocompleteSelectMultiple):
    """Several of these, each with its own cross. One for all of them would stand in the list, where only choices may."""

    def build_attrs(self, base_attrs: Any, extra_attrs: Any = None) -> dict[str, Any]:
        return {**super().build_attrs(base_attrs, extra_attrs), "data-allow-clear": "false"}


class VisibleChoiceFilter(AutocompleteSelectFilter):
    """A filter whose field names the chosen row only if the operator may see it. Unfold's own would name any."""

    model_admin: ModelAdmin

    def choices(self, changelist: Any) -> Iterator[Any]:
        page = self.model_admin.admin_site.get_model_admin(cast("type[Model]", self.field.related_model))
        shown: Iterator[Any] = super().choices(changelist)
        for choice in shown:
            choice["form"].fields[self.lookup_kwarg].queryset = page.get_queryset(self.request)
            yield choice


class ScaledLists(StrictLists):
    """A page whose list, filters and choices bear any number of rows.

    `searches` are what the search finds by, each answered by an index. `sortable_by` names the columns by which a list can be
    sorted: those of an index, or of tables that stay small. Choices of another model's rows are looked up as the operator
    types: nobody reads a select of 10,000 customers, or waits for it.
    """

    list_per_page = ROWS_OF_A_PAGE
    list_max_show_all = 0
    list_disable_select_all = True  # an action is for rows that the operator has seen
    paginator = ChoicesPaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER  # each would count the whole table
    sortable_by: ClassVar[Any] = ()
    searches: ClassVar[Sequence[Search]] = ()
    ordering: ClassVar[Any] = ("-id",)  # UUIDv7: the newest first, in the order of the primary key

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[KeysetChangeList]:
        return KeysetChangeList

    def __init_subclass__(cls, **options: Any) -> None:
        """Django asks `search_fields` whether there is a search. It would look for each word anywhere in each, row by row."""
        super().__init_subclass__(**options)
        if cls.searches:
            cls.search_fields = tuple(search.__qualname__ for search in cls.searches)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not self.searches:  # Django's own pages, of operators and their groups: there are few
            return super().get_search_results(request, queryset, search_term)
        return (searches.found(queryset, self.searches, search_term) if search_term else queryset), False

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [self._looked_up(item) for item in super().get_list_filter(request)]

    def may_choose(self, request: HttpRequest) -> bool:
        """Whether the operator may choose among the rows: then it learns their names."""
        return self.has_view_permission(request)

    def get_autocomplete_fields(self, request: HttpRequest) -> list[str]:
        """Every choice of a row that has a page with a search."""
        return [field.name for field in self.opts.fields if self._can_be_looked_up(field)]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):
            options.setdefault("widget", LookedUpChoice(db_field, self.admin_site))
        return super().formfield_for_foreignkey(db_field, request, **options)

    @property
    def list_filter_submit(self) -> bool:
        """Fields to fill in need a button, and links do not."""
        return any(_is_form(self._looked_up(item)) for item in self.list_filter)

    def _looked_up(self, item: Any) -> Any:
        is_name = isinstance(item, str)
        if is_name and self._can_be_looked_up(get_fields_from_path(self.model, item)[-1]):
            return (item, VisibleChoiceFilter)
        return item

    def _can_be_looked_up(self, field: Any) -> bool:
        model = field.related_model
        is_choice = isinstance(field, ForeignKey) and self.admin_site.is_registered(model)
        return is_choice and bool(self.admin_site.get_model_admin(model).search_fields)


def _is_form(item: Any) -> bool:
    """Unfold's filters with something to fill in have a form."""
    return hasattr(item[1] if isinstance(item, tuple) else item, "form_class")
