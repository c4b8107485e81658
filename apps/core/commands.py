"""What commands that operators start have in common."""

from django.core.management.base import BaseCommand


class OwnCommand(BaseCommand):
    """One of ours. Django's checks would load every page and view before it; `manage.py check` runs them."""

    requires_system_checks: list[str] = []
