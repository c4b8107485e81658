"""Parts of the admin's frame that are the same for everybody: written once for each language, and not at each page."""

from collections.abc import Mapping
from functools import lru_cache

from django import template
from django.template.loader import render_to_string
from django.urls import get_script_prefix
from django.utils.safestring import SafeString
from django.utils.translation import get_language

register = template.Library()
MOST_KEPT = 100


@register.simple_tag
def same_for_all(name: str) -> SafeString:
    """The template of this name. It is given nothing, and so can hold nothing of a request."""
    return _written(name, get_language(), get_script_prefix())


@lru_cache(maxsize=MOST_KEPT)
def _written(name: str, language: str, prefix: str) -> SafeString:  # noqa: ARG001  (what texts and addresses depend on)
    return render_to_string(name)


@register.simple_tag
def colours(named: Mapping[str, Mapping[str, str]], border_radius: str) -> SafeString:
    """The style sheet of the settings' colours."""
    variables = ((f"{name}-{weight}", value) for name, weights in named.items() for weight, value in weights.items())
    return _style(tuple(variables), border_radius)


@lru_cache(maxsize=MOST_KEPT)
def _style(variables: tuple[tuple[str, str], ...], border_radius: str) -> SafeString:
    return render_to_string("operators/frame/colours.html", {"variables": variables, "border_radius": border_radius})
