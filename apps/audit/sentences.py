"""The one place that makes a sentence of an event: with links for the admin, as plain text for exports.

Events name customers and users by their ids. `Naming` says how these are written.
"""

from collections.abc import Callable, Iterator, Mapping
from string import Formatter
from typing import Any, Protocol
from uuid import UUID

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.audit import actions, value_texts
from apps.audit.detail_words import WORDS
from apps.audit.models import Event
from apps.audit.sentence_texts import SENTENCES
from apps.core import actors

LONGEST_DETAIL = 200  # characters
IN_WORDS = {
    "factor",
    "format",
    "kind",
    "limit",
    "method",
    "mode",
    "purpose",
    "reason",
    "result",
    "what",
}  # details with names of ours


class Naming(Protocol):
    """How the things that an event is about are written. A `SafeString` is not escaped again."""

    def actor(self, actor: str) -> str: ...

    def customer(self, customer_id: UUID) -> str: ...

    def user(self, user_id: UUID) -> str: ...

    def rule(self, name: str) -> str: ...

    def step(self, name: str) -> str: ...


def as_html(event: Event, naming: Naming) -> SafeString:
    """The sentence, with everything escaped that is not a link of `naming`."""
    template = _template(event)
    parts = {name: _part(name, event, naming) for name in _names(template)}
    return format_html(template, **parts) if parts else escape(template)


def as_text(event: Event, naming: Naming) -> str:
    """The same as plain text; `naming` must not write HTML."""
    template = _template(event)
    return template.format(**{name: _part(name, event, naming) for name in _names(template)})


def differences(event: Event) -> Iterator[tuple[str, str | None, str | None]]:
    """What the event changed: each field, its value before and after. None where no value is kept."""
    for name, change in _changes(event).items():
        if "before" in change:
            yield words(name), value_texts.of(name, change["before"]), value_texts.of(name, change["after"])
        else:
            yield words(name), None, None


def tells_all(event: Event) -> bool:
    """Whether the sentence itself says what was before and after."""
    return "{field}" in _template(event) or not _changes(event)


def pattern(action: str) -> str:
    """The sentence of an action without what differs from event to event."""
    template = str(SENTENCES[action])
    return template.format(**dict.fromkeys(_names(template), "…"))


def words(name: str) -> str:
    """A name of ours as words."""
    return str(WORDS.get(name, name.replace("_", " ")))


def _template(event: Event) -> str:
    if event.action == actions.POLICY_CHANGED:
        return _of_policy(event)
    # The action of a newer version, before this process is replaced, has no sentence.
    return str(SENTENCES.get(event.action, "{actor}: {action}"))


def _of_policy(event: Event) -> str:
    if "limit" in event.details:
        return _("{actor} changed a limit of {customer}: {limit}")
    if "fixed_codes" in event.details:
        return _("{actor} changed the fixed codes of {customer}")
    changes = _changes(event)
    if len(changes) != 1:
        return str(SENTENCES[event.action])
    return _of_one_change(*next(iter(changes.items())))


def _of_one_change(name: str, change: Mapping[str, Any]) -> str:
    if "before" not in change:
        return _("{actor} changed the {field} of {customer}")
    if name in value_texts.IN_SECONDS:
        return _of_duration(is_shorter=change["after"] < change["before"])
    return _("{actor} changed the {field} of {customer} from {before} to {after}")


def _of_duration(*, is_shorter: bool) -> str:
    if is_shorter:
        return _("{actor} shortened the {field} of {customer} from {before} to {after}")
    return _("{actor} lengthened the {field} of {customer} from {before} to {after}")


def _names(template: str) -> list[str]:
    return [name for _literal, name, _spec, _conversion in Formatter().parse(template) if name]


def _part(name: str, event: Event, naming: Naming) -> str:
    if make := PARTS.get(name):
        return make(event, naming)
    if name in ("field", "before", "after"):
        return _of_only_change(name, event)
    return _detail(name, event.details.get(name))


def _customer(event: Event, naming: Naming) -> str:
    return naming.customer(event.customer_id) if event.customer_id else _("no customer")


def _user(event: Event, naming: Naming) -> str:
    return naming.user(event.user_id) if event.user_id else _("an unknown user")


def _account(event: Event, naming: Naming) -> str:
    if event.user_id is None:
        return _("an unknown account")
    if event.actor == actors.user(event.user_id):
        return _("their own account")
    return naming.user(event.user_id)


def _of_only_change(what: str, event: Event) -> str:
    [(name, change)] = _changes(event).items()
    return words(name) if what == "field" else value_texts.of(name, change[what])


def _detail(name: str, value: Any) -> str:
    if value is None or value == "":
        return _("not known")
    text = str(value)[:LONGEST_DETAIL]
    return words(text) if name in IN_WORDS else text


def _changes(event: Event) -> Mapping[str, Mapping[str, Any]]:
    found: Mapping[str, Mapping[str, Any]] = event.details.get("changes") or {}
    return found


PARTS: Mapping[str, Callable[[Event, Naming], str]] = {
    "actor": lambda event, naming: naming.actor(event.actor),
    "customer": _customer,
    "user": _user,
    "account": _account,
    "rule": lambda event, naming: naming.rule(str(event.details.get("rule", ""))),
    "step": lambda event, naming: naming.step(str(event.details.get("step", ""))),
    "action": lambda event, _naming: words(event.action),
}


class PlainNaming:
    """Names as events have them: for exports, which outlive customers and users."""

    def actor(self, actor: str) -> str:
        return actor

    def customer(self, customer_id: UUID) -> str:
        return str(customer_id)

    def user(self, user_id: UUID) -> str:
        return _("user %s") % user_id

    def rule(self, name: str) -> str:
        return words(name)

    def step(self, name: str) -> str:
        return _("Refused: %s") % words(name)
