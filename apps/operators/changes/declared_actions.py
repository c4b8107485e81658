"""Actions of the admin, declared with all that belongs to them: who may do it, when it makes sense, what it asks first.

A page writes down what an action does. Everything around that is here, once: is this operator allowed, is the row there,
has the question been answered, and what does the operator read afterwards. Only a POST acts; a GET asks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth import get_permission_codename
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.enums import ActionVariant

from apps.core.errors import GatehouseError
from apps.operators import questions
from apps.operators.context import context_of_operator
from apps.operators.new_secrets import shown_once
from apps.operators.new_secrets.shown_once import ShownOnce
from apps.operators.questions import Question, TypedForm
from apps.operators.sign_in import step_up
from apps.operators.team import scope

CONFIRMED = "confirmed"
SELECTION = ("action", ACTION_CHECKBOX_NAME, "select_across")  # the fields in which Django's list posts a selection
Result = str | ShownOnce


@dataclass(frozen=True, kw_only=True)
class _DeclaredAction:
    """`permissions`: all are needed. "change" is Django's own permission for the page's model, "app.name" any other.

    `is_good`: its button is green. `takes_away`: it is red.
    """

    label: str | Promise
    permissions: Sequence[str]
    is_good: bool = False
    takes_away: bool = False

    def is_allowed(self, page: ModelAdmin, request: HttpRequest) -> bool:
        return all(request.user.has_perm(_full_name(page, permission)) for permission in self.permissions)


@dataclass(frozen=True, kw_only=True)
class RowAction(_DeclaredAction):
    """Declares what a method of a page does to one row: `act(self, row, context)`, or `act(self, row, context, form)`.

    The method returns the sentence that the operator reads next, or a secret to show once. A GatehouseError is shown as refused.
    `form`: what the question asks for besides yes; the method gets it valid. `offered`: for which rows there is a button.
    `removes_row`: there is no page to return to afterwards. `is_grave`: it looks so, stands apart from the others, and asks for
    another proof of who is there (`step_up`). `typed`: what must be typed first, such as the row's name.
    """

    url_path: str
    question: Callable[[Any], Question]
    form: type[forms.Form] | None = None
    offered: Callable[[Any], bool] | None = None
    removes_row: bool = False
    is_grave: bool = False
    leads_to: Callable[[Any, HttpRequest], str] | None = None
    typed: Callable[[Any], str] | None = None

    def __call__(self, act: Callable[..., Result]) -> Any:
        @wraps(act)
        def view(page: OffersActions, request: HttpRequest, object_id: str) -> HttpResponse:
            return _answer(self, act, page, request, object_id)

        method: Any = action(view, description=cast("str", self.label), url_path=self.url_path)
        method.declared = self
        if self.is_good:
            method.variant = ActionVariant.SUCCESS
        return method

    def makes_sense(self, row: Model) -> bool:
        return self.offered is None or self.offered(row)


@dataclass(frozen=True, kw_only=True)
class PageAction(_DeclaredAction):
    """Declares a page about one row that has a button of its own: `show(self, request, row)`. It changes nothing by itself."""

    url_path: str
    offered: Callable[[Any], bool] | None = None
    is_grave: ClassVar[bool] = False

    def __call__(self, show: Callable[..., HttpResponse]) -> Any:
        @wraps(show)
        def view(page: OffersActions, request: HttpRequest, object_id: str) -> HttpResponse:
            if not self.is_allowed(page, request):
                raise PermissionDenied
            row = page.get_object(request, object_id)
            if row is None:
                return _nothing_here(page, request)
            return show(page, request, row)

        method: Any = action(view, description=cast("str", self.label), url_path=self.url_path)
        method.declared = self
        return method

    def makes_sense(self, row: Model) -> bool:
        return self.offered is None or self.offered(row)


@dataclass(frozen=True, kw_only=True)
class SelectionAction(_DeclaredAction):
    """Declares what a method of a page does to selected rows: `act(self, rows, context)`, which returns a sentence.

    `affected`: those of the selection for which it makes sense; the others are left alone.
    """

    question: Callable[[list[Any]], Question]
    affected: Callable[[Any], QuerySet[Any]]

    def __call__(self, act: Callable[..., str]) -> Any:
        @wraps(act)
        def view(page: OffersActions, request: HttpRequest, selected: QuerySet[Any]) -> HttpResponse | None:
            return _answer_selection(self, act, page, request, selected)

        method: Any = admin.action(view, description=cast("str", self.label))
        method.declared = self
        return method


@dataclass(frozen=True, kw_only=True)
class ListAction(_DeclaredAction):
    """Declares what a method of a page does to no row in particular: `act(self, context)`, which returns a sentence.

    `offered`: when there is a button above the list. It reaches every customer, and so is not for operators who are limited to some.
    """

    url_path: str
    question: Callable[[], Question]
    offered: Callable[[], bool]

    def is_allowed(self, page: ModelAdmin, request: HttpRequest) -> bool:
        return scope.of(request).is_everything and super().is_allowed(page, request)

    def __call__(self, act: Callable[..., str]) -> Any:
        @wraps(act)
        def view(page: OffersActions, request: HttpRequest) -> HttpResponse:
            return _answer_list(self, act, page, request)

        method: Any = action(view, description=cast("str", self.label), url_path=self.url_path)
        method.declared = self
        return method


class OffersActions(ModelAdmin):
    """A page that offers its declared actions: those that the operator may do, and that make sense for the row."""

    def get_actions_detail(self, request: HttpRequest, object_id: Any = None) -> list[Any]:
        """Those at the top of the page. Grave ones stand apart, at its end."""
        return [item for item in self._offered(request, object_id) if not item.method.declared.is_grave]

    def grave_actions(self, request: HttpRequest, object_id: Any) -> list[Any]:
        return [item for item in self._offered(request, object_id) if item.method.declared.is_grave]

    def _offered(self, request: HttpRequest, object_id: Any) -> list[Any]:
        items = super().get_actions_detail(request, object_id)
        allowed = [item for item in items if item.method.declared.is_allowed(self, request)]
        if all(item.method.declared.offered is None for item in allowed):
            return allowed
        row = self.get_object(request, str(object_id))
        return [item for item in allowed if row and item.method.declared.makes_sense(row)]

    def get_actions_list(self, request: HttpRequest) -> list[Any]:
        """Those above the list."""
        declared = [(item, item.method.declared) for item in super().get_actions_list(request)]
        return [item for item, its in declared if its.is_allowed(self, request) and its.offered()]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        found: dict[str, Any] = super().get_actions(request)
        return {name: entry for name, entry in found.items() if self._may_select(request, entry[0])}

    def _may_select(self, request: HttpRequest, function: Any) -> bool:
        """Django has checked its own actions, which declare nothing."""
        declared = getattr(function, "declared", None)
        return declared is None or declared.is_allowed(self, request)


def _full_name(page: ModelAdmin, permission: str) -> str:
    if "." in permission:
        return permission
    return f"{page.opts.app_label}.{get_permission_codename(permission, page.opts)}"


def _answer(
    declared: RowAction, act: Callable[..., Result], page: OffersActions, request: HttpRequest, object_id: str
) -> HttpResponse:
    """May I, is there a row, ask first, act, say so."""
    if not declared.is_allowed(page, request):
        raise PermissionDenied
    row = page.get_object(request, object_id)
    if row is None:
        return _nothing_here(page, request)
    form = declared.form(request.POST if request.method == "POST" else None) if declared.form else None
    typed = TypedForm(declared.typed(row), request.POST or None) if declared.typed else None
    proof = step_up.due(request, is_answered=request.method == "POST") if declared.is_grave else None
    back = questions.address_of(row)
    if request.method != "POST" or not all(each.is_valid() for each in (form, typed, proof) if each is not None):
        return questions.ask(
            page,
            request,
            declared.question(row),
            form=form,
            typed=typed,
            proof=proof,
            is_grave=declared.is_grave,
            is_good=declared.is_good,
            takes_away=declared.takes_away,
            row=row,
            back=back,
        )
    try:
        context = context_of_operator(request)
        result = act(page, row, context) if form is None else act(page, row, context, form)
    except GatehouseError as error:
        questions.say_why(request, error)
        return HttpResponseRedirect(back)
    return _say(page, request, result, _place_after(declared, page, request, back))


def _nothing_here(page: OffersActions, request: HttpRequest) -> HttpResponse:
    """The address may be anything."""
    messages.error(request, _("There is nothing here."))
    return HttpResponseRedirect(questions.address_of_list(page.model))


def _place_after(declared: RowAction, page: OffersActions, request: HttpRequest, back: str) -> str:
    if declared.leads_to is not None:
        return declared.leads_to(page, request)
    return questions.address_of_list(page.model) if declared.removes_row else back


def _say(page: OffersActions, request: HttpRequest, result: Result, back: str) -> HttpResponse:
    if isinstance(result, ShownOnce):
        return shown_once.lead_to(request, result)
    page.message_user(request, result, messages.SUCCESS)
    return HttpResponseRedirect(back)


def _answer_list(
    declared: ListAction, act: Callable[..., str], page: OffersActions, request: HttpRequest
) -> HttpResponse:
    """May I, ask first, act, say so."""
    if not declared.is_allowed(page, request):
        raise PermissionDenied
    back = questions.address_of_list(page.model)
    if request.method != "POST":
        return questions.ask(page, request, declared.question(), back=back, is_good=declared.is_good)
    return _say(page, request, act(page, context_of_operator(request)), back)


def _answer_selection(
    declared: SelectionAction,
    act: Callable[..., str],
    page: OffersActions,
    request: HttpRequest,
    selected: QuerySet[Any],
) -> HttpResponse | None:
    """Ask first, act, say so. The question carries the selection along; None leads back to the list."""
    rows = list(declared.affected(selected))
    if CONFIRMED not in request.POST:
        kept = [(name, value) for name in SELECTION for value in request.POST.getlist(name)]
        back = questions.address_of_list(page.model)
        hidden = [*kept, (CONFIRMED, "yes")]
        return questions.ask(
            page,
            request,
            declared.question(rows),
            back=back,
            is_good=declared.is_good,
            takes_away=declared.takes_away,
            hidden=hidden,
        )
    page.message_user(request, act(page, rows, context_of_operator(request)), messages.SUCCESS)
    return None
