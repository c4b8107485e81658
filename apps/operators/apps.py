"""Registers the room with Django."""

from django.apps import AppConfig


class OperatorsConfig(AppConfig):
    name = "apps.operators"
    label = "operators"
    verbose_name = "Operators"

    def ready(self) -> None:
        from apps.operators import words
        from apps.operators.lists import quick_cells, short_cells
        from apps.operators.sign_in import own_sessions, sign_in_events, step_up
        from apps.operators.team import last_administrator

        own_sessions.connect()
        words.name_everything()
        sign_in_events.connect()
        last_administrator.connect()
        step_up.connect()
        short_cells.use()
        quick_cells.use()
