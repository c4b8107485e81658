"""What operators read around an action: the question before it, a secret that it made, and why it was refused."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django import forms
from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import ModelAdmin

from apps.core.errors import GatehouseError


@dataclass(frozen=True)
class Question:
    """What an action will do, and the button that does it."""

    title: str
    explanation: list[str]
    button: str


@dataclass(frozen=True)
class ShownOnce:
    """A new secret, and the row that it belongs to. Nothing keeps it: no table, no session, no history."""

    title: str
    secret: str = field(repr=False)
    row: Model


def ask(
    page: ModelAdmin,
    request: HttpRequest,
    question: Question,
    *,
    back: str,
    form: forms.Form | None = None,
    hidden: Iterable[tuple[str, str]] = (),
) -> HttpResponse:
    """The page that asks. `hidden` fields are posted with the answer; `back` is where "Cancel" leads."""
    facts = {
        **page.admin_site.each_context(request),
        "title": question.title,
        "explanation": question.explanation,
        "button": question.button,
        "form": form,
        "hidden": hidden,
        "back": back,
        "opts": page.opts,
    }
    return TemplateResponse(request, "operators/confirm.html", facts)


def show_once(page: ModelAdmin, request: HttpRequest, shown: ShownOnce) -> HttpResponse:
    """The page with the secret. No browser may keep a copy."""
    facts = {
        **page.admin_site.each_context(request),
        "title": shown.title,
        "shown": shown.secret,
        "back": address_of(shown.row),
        "opts": page.opts,
    }
    return TemplateResponse(request, "operators/shown_once.html", facts, headers={"Cache-Control": "no-store"})


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
