"""What operators read around an action: the question before it, and why it was refused."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.core.errors import GatehouseError


@dataclass(frozen=True)
class Affected:
    """Things that a grave change touches: how many, and when one of them was last used."""

    label: str
    count: int
    last_used_at: datetime | None = None


@dataclass(frozen=True)
class Question:
    """What an action will do, and the button that does it. `numbers`: what it touches. `mark`: which change a "yes" is for."""

    title: str
    explanation: list[str]
    button: str
    numbers: Sequence[Affected] = ()
    mark: str = ""


class TypedForm(forms.Form):
    """Asks for something to be typed, such as a name: what is grave beyond repair is not done by a click too many."""

    typed = forms.CharField(widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}))

    def __init__(self, wanted: str, answer: Mapping[str, Any] | None) -> None:
        super().__init__(answer)
        self._wanted = wanted
        self.fields["typed"].label = _("Type %s to confirm") % wanted

    def clean_typed(self) -> str:
        typed: str = self.cleaned_data["typed"]
        if typed != self._wanted:
            raise forms.ValidationError(_("This is not the name. Nothing has been changed."))
        return typed


class Unconfirmed(Exception):
    """A form would make a grave change that the operator has not confirmed. The page asks then; nothing has been saved."""

    def __init__(self, question: Question) -> None:
        super().__init__(question.title)
        self.question = question


def ask(
    page: ModelAdmin,
    request: HttpRequest,
    question: Question,
    *,
    back: str,
    form: forms.Form | None = None,
    typed: forms.Form | None = None,
    proof: forms.Form | None = None,
    is_grave: bool = False,
    is_good: bool = False,
    takes_away: bool = False,
    row: Model | None = None,
    hidden: Iterable[tuple[str, str]] = (),
) -> HttpResponse:
    """The page that asks. `hidden` fields are posted with the answer; `back` is where "Cancel" leads.

    `proof`: asks who is there. A grave change looks like one; one that `takes_away` something has a red button.
    `row`: whose page lies on the way to this one.
    """
    facts = {
        **page.admin_site.each_context(request),
        "title": question.title,
        "explanation": question.explanation,
        "button": question.button,
        "numbers": question.numbers,
        "form": form,
        "typed": typed,
        "proof": proof,
        "is_grave": is_grave,
        "is_good": is_good,
        "takes_away": takes_away,
        "object": row,
        "hidden": hidden,
        "back": back,
        "opts": page.opts,
        "has_own_heading": True,
    }
    return TemplateResponse(request, "operators/confirm.html", facts)


def say_why(request: HttpRequest, error: GatehouseError) -> None:
    """Let the next page say what was refused."""
    reasons = [text for texts in (error.fields or {}).values() for text in texts]
    messages.error(request, " ".join([str(error.text), *reasons]))


def address_of(row: Model) -> str:
    """The address of a row's page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def address_of_list(model: type[Model]) -> str:
    """The address of the list of all rows."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
