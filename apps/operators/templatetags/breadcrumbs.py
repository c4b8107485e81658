"""Where a page stands: the way to it from its list, and the page's heading."""

from dataclasses import dataclass
from typing import Any, cast

from django import template
from django.db.models import Model
from django.urls import reverse, reverse_lazy
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from apps.operators import words

register = template.Library()


@dataclass(frozen=True)
class Crumb:
    title: str
    address: str = ""


OVERVIEW = Crumb(cast("str", lazy("Overview")), cast("str", reverse_lazy("admin:index")))


@register.simple_tag(takes_context=True)
def crumbs(context: Any) -> list[Crumb]:
    """From the list to the row to the page. The last one is the heading, unless the page says that it has one of its own."""
    if context.get("has_own_heading"):
        return [each for each in _of_model(context) if each.address] or [OVERVIEW]
    return list(dict.fromkeys([*_of_model(context), *_of_page(context)])) or [Crumb("Gatehouse")]


def _of_model(context: Any) -> list[Crumb]:
    opts, row = context.get("opts"), context.get("original") or context.get("object")
    if opts is None:
        return []
    is_list = context.get("cl") is not None
    place = f"admin:{opts.app_label}_{opts.model_name}"
    listed = Crumb(capfirst(str(opts.verbose_name_plural)), "" if is_list else reverse(f"{place}_changelist"))
    if not isinstance(row, Model):
        return [listed]
    is_page = context.get("adminform") is not None
    return [listed, Crumb(words.name_of(row), "" if is_page else reverse(f"{place}_change", args=[row.pk]))]


def _of_page(context: Any) -> list[Crumb]:
    if context.get("cl") is not None:
        return []
    if context.get("add"):
        return [Crumb(_("Add"))]
    if context.get("adminform") is not None:
        return []
    title = str(context.get("title") or "")
    return [Crumb(title)] if title else []
