"""Moments on a page: in UTC as the server knows them, and in the browser's own time zone where scripts run (moments.js)."""

from datetime import UTC, datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.core.times import rfc3339

register = template.Library()


@register.filter
def moment(at: datetime) -> SafeString:
    """ "2026-01-02 03:04 UTC" """
    words = f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return format_html('<time datetime="{}" data-moment>{}</time>', rfc3339(at), words)
