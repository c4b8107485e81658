"""Each event reads as a sentence, in English and German; names become links, and nothing in an event becomes HTML."""

import re
from collections.abc import Iterator
from string import Formatter
from uuid import UUID

import pytest
from django.utils import timezone, translation
from django.utils.html import escape, format_html

from apps.audit import actions, detail_words, sentence_texts, sentences, value_texts
from apps.audit.models import Event, Outcome
from apps.audit.sentences import PlainNaming
from apps.core.ids import new_id
from apps.customers import policy_texts

HOUR = 3600
USER, CUSTOMER = new_id(), new_id()


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    """Whatever language a test before has left behind."""
    with translation.override("en"):
        yield


class Links(PlainNaming):
    """As the admin names things."""

    def customer(self, customer_id: UUID) -> str:
        return format_html('<a href="/c/{}">{}</a>', customer_id, "Acme <Ltd>")


def event(
    action: str, *, actor: str = "operator:operator@example.com", user_id: UUID | None = USER, **details: object
) -> Event:
    return Event(
        at=timezone.now(),
        action=action,
        actor=actor,
        customer_id=CUSTOMER,
        user_id=user_id,
        outcome=Outcome.SUCCESS,
        details=details,
    )


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("action", sorted(actions.ALL))
def test_every_action_has_its_sentence(action: str, language: str) -> None:
    with translation.override(language):
        text = sentences.as_text(event(action), PlainNaming())
        html = sentences.as_html(event(action), PlainNaming())
    assert html == escape(text)
    assert action in sentence_texts.SENTENCES
    assert text != f"operator:operator@example.com: {sentences.words(action)}"
    assert "{" not in text
    assert text[0].isupper() or text.startswith("operator:")


@pytest.mark.parametrize("action", sorted(actions.ALL))
def test_every_sentence_is_translated_with_the_same_parts(action: str) -> None:
    english = str(sentence_texts.SENTENCES[action])
    with translation.override("de"):
        german = str(sentence_texts.SENTENCES[action])
    assert german != english
    assert parts(german) == parts(english)


def parts(template: str) -> set[str]:
    return {name for _text, name, _spec, _conversion in Formatter().parse(template) if name}


@pytest.mark.parametrize("name", sorted(detail_words.WORDS))
def test_every_word_is_in_german_too(name: str) -> None:
    same = {"csv", "sms", "jsonl", "passkey", "name", "phone", "is_superuser"}  # SMS, Name and the like are German, too
    with translation.override("de"):
        german = str(detail_words.WORDS[name])
    assert name in same or german != str(detail_words.WORDS[name])


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"access_lifetime": {"before": 7 * HOUR, "after": HOUR}},
            "operator:operator@example.com shortened the access lifetime of Acme from 7\u00a0h to 1\u00a0h",
        ),
        (
            {"access_lifetime": {"before": HOUR, "after": 5400}},
            "operator:operator@example.com lengthened the access lifetime of Acme from 1\u00a0h to 1\u00a0h 30\u00a0min",
        ),
        (
            {"code_length": {"before": 6, "after": 8}},
            "operator:operator@example.com changed the length of codes of Acme from 6 to 8",
        ),
        ({"identity_check_url": {}}, "operator:operator@example.com changed the address of the identity check of Acme"),
        (
            {"colour": {"before": "", "after": "#000000"}, "code_length": {"before": 6, "after": 8}},
            "operator:operator@example.com changed the policy of Acme",
        ),
    ],
)
def test_a_change_of_the_policy_says_what_was_before_and_after(changes: dict[str, object], text: str) -> None:
    class OfAcme(PlainNaming):
        def customer(self, customer_id: UUID) -> str:
            return "Acme"

    assert sentences.as_text(event(actions.POLICY_CHANGED, changes=changes), OfAcme()) == text


def test_the_same_in_german() -> None:
    changed = event(actions.POLICY_CHANGED, changes={"access_lifetime": {"before": 7 * HOUR, "after": HOUR}})
    with translation.override("de"):
        text = sentences.as_text(changed, PlainNaming())
    assert "Lebensdauer von Zugriffstokens" in text
    assert "von 7\u00a0h auf 1\u00a0h" in text


def test_differences_are_listed_and_hidden_values_are_not_made_up() -> None:
    changes = {"phone": {}, "demands_approval": {"before": False, "after": True}}
    assert list(sentences.differences(event(actions.USER_CHANGED, changes=changes))) == [
        ("phone", None, None),
        ("demand for approval", "off", "on"),
    ]


def test_what_an_event_holds_is_no_html_and_no_template() -> None:
    evil = event(actions.OAUTH_CLIENT_CHANGED, actor="operator:<b>{customer}</b>", name="<script>{actor.x}")
    html = sentences.as_html(evil, Links())
    assert "<script>" not in html
    assert "<b>" not in html
    assert "&lt;script&gt;{actor.x}" in html
    assert f'<a href="/c/{CUSTOMER}">Acme &lt;Ltd&gt;</a>' in html


def test_who_acts_on_themselves_is_named_once() -> None:
    own = event(actions.PASSWORD_CHANGED, actor=f"user:{USER}")
    assert sentences.as_text(own, PlainNaming()).endswith("changed the password of their own account")


def test_the_action_of_a_newer_version_is_shown_all_the_same() -> None:
    assert sentences.as_text(event("coffee_made"), PlainNaming()).endswith(": coffee made")


def test_every_duration_of_the_policy_is_written_as_one() -> None:
    in_seconds = {
        name for name, text in policy_texts.HELP.items() if re.search(r"[0-9] (s|min|h|d) to [0-9]", str(text))
    }
    assert len(in_seconds) == 6
    assert in_seconds <= value_texts.IN_SECONDS


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59, "59 s"), (90, "1 min 30 s"), (25_200, "7 h"), (604_800, "7 d")]
)
def test_durations_read_as_a_person_says_them(seconds: int, text: str) -> None:
    assert value_texts.duration(seconds).replace("\u00a0", " ") == text
