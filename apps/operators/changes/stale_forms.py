"""Forms that were opened in two tabs: the later one is refused with what has changed meanwhile, and keeps what was typed.

Without that the later save silently restores what the other has changed. And a form that adds a row adds one, however often it is
sent.
"""

import secrets
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import Model
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from apps.core.rate_limits import Limit
from apps.operators.changes import form_versions
from apps.operators.changes.form_versions import Shown
from apps.operators.context import operator_of
from apps.operators.sign_in import attempt_counter

VERSION = "_version"  # the hidden field
ONCE = Limit("operator_form_sent", 1, 24 * 60 * 60)


@dataclass(frozen=True)
class ChangedField:
    """A field that somebody has changed since the form was opened, and what this operator wants of it."""

    name: str
    was: Any
    now: Any
    wanted: Any

    @property
    def is_untouched(self) -> bool:
        return bool(self.wanted == self.was)


class VersionedForm:
    """Stands before a page's form for a row that exists."""

    page: "StaleForms"
    request: HttpRequest
    instance: Any
    initial: dict[str, Any]
    fields: dict[str, forms.Field]
    data: QueryDict
    cleaned_data: dict[str, Any]
    is_bound: bool
    seen: Shown | None = None  # of a stale form: how the row was found, which the operator is told now

    def clean(self) -> Any:
        cleaned = _clean_of(VersionedForm, self)
        self._refuse_if_stale()
        return cleaned

    def version(self) -> str:
        """For the hidden field. A form that is shown again for another fault stays as old as it was."""
        if self.is_bound:
            return self.seen.signed() if self.seen else str(self.data.get(VERSION, ""))
        return self._now(self.instance).signed()

    def _now(self, row: Model) -> Shown:
        make: Any = type(self)
        return Shown(form_versions.fields_of(make(instance=row) if self.is_bound else self))

    def _refuse_if_stale(self) -> None:
        """Under the lock of the row, which the flow that saves keeps: nothing changes in between."""
        locked = self.page.lock(self.instance)
        if locked is None:
            self._add_error(None, _("This has been deleted meanwhile."))
            return
        now, before = self._now(locked), Shown.read(self.data.get(VERSION, ""))
        if before is None:
            self._say(now, _("This page is older than the form. Look through it, and save it again."))
        else:
            self._compare(before, now)

    def _compare(self, before: Shown, now: Shown) -> None:
        for each in self._changed(before, now):
            self._show(now, each)

    def _changed(self, before: Shown, now: Shown) -> list[ChangedField]:
        """What both have changed to the same is no matter."""
        found = [
            ChangedField(name, before.fields[name], value, self._wanted(name))
            for name, value in now.fields.items()
            if name in before.fields and before.fields[name] != value
        ]
        return [each for each in found if each.wanted != each.now]

    def _wanted(self, name: str) -> Any:
        """What was typed: as a value if it is one, else as it is."""
        if name in self.cleaned_data:
            return form_versions.plain(self.fields[name], self.cleaned_data[name])
        return self.data.get(name, "")

    def _show(self, now: Shown, each: ChangedField) -> None:
        """The field keeps what was typed. One that was not touched shows what is there now."""
        of = self.fields[each.name]
        words = {
            "field": of.label or each.name,
            "was": form_versions.readable(of, each.was),
            "now": form_versions.readable(of, each.now),
        }
        self._say(now, _("%(field)s: from %(was)s to %(now)s.") % words)
        if each.is_untouched:
            vars(of)["bound_data"] = lambda _data, _initial: each.now
            text = _("Changed meanwhile, from %(was)s to %(now)s. Now it shows what is there.")
        else:
            text = _("Changed meanwhile, from %(was)s to %(now)s. You typed what stands here.")
        self._say(now, text % words, each.name)

    def _say(self, now: Shown, text: str, name: str | None = None) -> None:
        if self.seen is None:
            self.seen = now
            self._add_error(
                None,
                _("Somebody has changed this since you opened it, and nothing was saved. See below, and save again."),
            )
        self._add_error(name, text)

    def _add_error(self, name: str | None, text: str) -> None:
        form: Any = self
        form.add_error(name, text)


class OnceForm:
    """Stands before a page's form for a new row: a second press of the button, or "back", makes no second one."""

    request: HttpRequest
    data: QueryDict
    _errors: Any

    def clean(self) -> Any:
        cleaned = _clean_of(OnceForm, self)
        mark = self.data.get(VERSION, "")
        if mark and not self._errors and self._is_second(mark):
            form: Any = self
            form.add_error(
                None, _("This form was sent before, and what it says is saved. To add another, open it anew.")
            )
        return cleaned

    def version(self) -> str:
        return secrets.token_urlsafe(16)

    def _is_second(self, mark: str) -> bool:
        """In the transaction of the addition: a second one waits for it, and the mark is free again if it fails."""
        counted = attempt_counter.count({ONCE: (str(operator_of(self.request).pk), mark)})
        return counted.over(ONCE)


def _clean_of(guard: type, form: Any) -> Any:
    """What the page's own form does, which comes after the guard."""
    after: Any = super(guard, form)
    return after.clean()


class StaleForms(ModelAdmin):
    """A page whose forms are refused when they are stale."""

    change_form_before_template = "operators/form_version.html"

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:  # noqa: FBT001, FBT002
        form = super().get_form(request, obj, change=change, **options)
        guard = OnceForm if obj is None else VersionedForm
        return type(form.__name__, (guard, form), {"page": self, "request": request})

    def lock(self, row: Model) -> Any:
        """The row as it is now, locked until the transaction ends. None if it was deleted."""
        found = type(row)._default_manager.select_for_update(of=("self",), no_key=True).filter(pk=row.pk)
        return found.first()
