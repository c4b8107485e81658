"""Actions of the admin, declared with all that belongs to them: who may do it, when it makes sense, what it asks first.

A page writes down what an action does. Everything around that is here, once: is this operator allowed, is the row there,
has the question been answered, and what does the operator read afterwards. Only a POST acts; a GET asks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth import get_permission_codename
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin
from unfold.decorators import action

from apps.core.errors import GatehouseError
from apps.operators import questions
from apps.operators.questions import Question, ShownOnce

CONFIRMED = "confirmed"
SELECTION = ("action", ACTION_CHECKBOX_NAME, "select_across")  # the fields in which Django's list posts a selection


@dataclass(frozen=True)
class RowAction:
    """An action on one row. See `row_action`."""

    permissions: Sequence[str]
    question: Callable[[Any], Question]
    act: Callable[..., str | ShownOnce]
    form: type[forms.Form] | None
    offered: Callable[[Any], bool] | None
    removes_row: bool


@dataclass(frozen=True)
class SelectionAction:
    """An action on the rows that are selected in a list. See `selection_action`."""

    permissions: Sequence[str]
    question: Callable[[list[Any]], Question]
    act: Callable[..., str]
    affected: Callable[[QuerySet[Any]], QuerySet[Any]]


def row_action(
    label: str,
    *,
    url_path: str,
    permissions: Sequence[str],
    question: Callable[[Any], Question],
    form: type[forms.Form] | None = None,
    offered: Callable[[Any], bool] | None = None,
    removes_row: bool = False,
) -> Callable[[Callable[..., str | ShownOnce]], Any]:
    """Declare what a method of a page does to one row: `act(self, row, request)`, or `act(self, row, request, form)`.

    It returns the sentence that the operator reads next, or a secret to show once; a GatehouseError is shown as refused.
    `permissions`: all are needed. "change" is Django's own permission for the page's model, "app.name" any other.
    `form`: what the question asks for besides yes; `act` gets it valid. `offered`: for which rows there is a button.
    `removes_row`: there is no page to return to afterwards.
    """

    def declare(act: Callable[..., str | ShownOnce]) -> Any:
        declared = RowAction(permissions, question, act, form, offered, removes_row)

        @wraps(act)
        def view(page: "OffersActions", request: HttpRequest, object_id: str) -> HttpResponse:
            return _answer(page, request, object_id, declared)

        method: Any = action(view, description=label, url_path=url_path)
        method.declared = declared
        return method

    return declare


def selection_action(
    label: str,
    *,
    permissions: Sequence[str],
    question: Callable[[list[Any]], Question],
    affected: Callable[[QuerySet[Any]], QuerySet[Any]],
) -> Callable[[Callable[..., str]], Any]:
    """Declare what a method of a page does to selected rows: `act(self, rows, request)`, which returns a sentence.

    `affected`: those of the selection for which it makes sense; the others are left alone.
    """

    def declare(act: Callable[..., str]) -> Any:
        declared = SelectionAction(permissions, question, act, affected)

        @wraps(act)
        def view(page: "OffersActions", request: HttpRequest, selected: QuerySet[Any]) -> HttpResponse | None:
            return _answer_selection(page, request, selected, declared)

        method: Any = admin.action(view, description=label)
        method.declared = declared
        return method

    return declare


class OffersActions(ModelAdmin):
    """A page that offers its declared actions: those that the operator may do, and that make sense for the row."""

    def get_actions_detail(self, request: HttpRequest, object_id: Any = None) -> list[Any]:
        allowed = [
            item
            for item in super().get_actions_detail(request, object_id)
            if _may(self, request, item.method.declared.permissions)
        ]
        if all(item.method.declared.offered is None for item in allowed):
            return allowed
        row = self.get_object(request, str(object_id))
        return [item for item in allowed if row and _makes_sense(item.method.declared, row)]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        found: dict[str, Any] = super().get_actions(request)
        return {name: entry for name, entry in found.items() if self._may_select(request, entry[0])}

    def _may_select(self, request: HttpRequest, function: Any) -> bool:
        """Django has checked its own actions, which declare nothing."""
        declared = getattr(function, "declared", None)
        return declared is None or _may(self, request, declared.permissions)


def _may(page: ModelAdmin, request: HttpRequest, permissions: Sequence[str]) -> bool:
    return all(request.user.has_perm(_full_name(page, permission)) for permission in permissions)


def _full_name(page: ModelAdmin, permission: str) -> str:
    if "." in permission:
        return permission
    return f"{page.opts.app_label}.{get_permission_codename(permission, page.opts)}"


def _makes_sense(declared: RowAction, row: Model) -> bool:
    return declared.offered is None or declared.offered(row)


def _answer(page: OffersActions, request: HttpRequest, object_id: str, declared: RowAction) -> HttpResponse:
    """May I, is there a row, ask first, act, say so."""
    if not _may(page, request, declared.permissions):
        raise PermissionDenied
    row = page.get_object(request, object_id)
    if row is None:  # the address may be anything
        messages.error(request, _("There is nothing here."))
        return HttpResponseRedirect(questions.address_of_list(page.model))
    form = declared.form(request.POST or None) if declared.form else None
    if request.method != "POST" or not (form is None or form.is_valid()):
        return questions.ask(page, request, declared.question(row), form=form, back=questions.address_of(row))
    return _act(page, request, row, form, declared)


def _act(
    page: OffersActions, request: HttpRequest, row: Model, form: forms.Form | None, declared: RowAction
) -> HttpResponse:
    back = questions.address_of(row)
    try:
        outcome = declared.act(page, row, request, form) if form is not None else declared.act(page, row, request)
    except GatehouseError as error:
        questions.say_why(request, error)
        return HttpResponseRedirect(back)
    if isinstance(outcome, ShownOnce):
        return questions.show_once(page, request, outcome)
    messages.success(request, outcome)
    return HttpResponseRedirect(questions.address_of_list(page.model) if declared.removes_row else back)


def _answer_selection(
    page: OffersActions, request: HttpRequest, selected: QuerySet[Any], declared: SelectionAction
) -> HttpResponse | None:
    """Ask first, act, say so. The question carries the selection along; None leads back to the list."""
    rows = list(declared.affected(selected))
    if CONFIRMED not in request.POST:
        kept = [(name, value) for name in SELECTION for value in request.POST.getlist(name)]
        back = questions.address_of_list(page.model)
        return questions.ask(page, request, declared.question(rows), back=back, hidden=[*kept, (CONFIRMED, "yes")])
    page.message_user(request, declared.act(page, rows, request))
    return None
