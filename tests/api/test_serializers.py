"""C5: what clients send has the JSON type of its field, whichever field that is."""

from typing import Any

import pytest
from rest_framework import serializers

from apps.api.serializers import StrictSerializer
from apps.core.ids import new_id


class Everything(StrictSerializer):
    text = serializers.CharField(required=False, allow_null=True)
    choice = serializers.ChoiceField(choices=["1", "true"], required=False)
    whole = serializers.IntegerField(required=False)
    number = serializers.FloatField(required=False)
    yes = serializers.BooleanField(required=False)
    ids = serializers.ListField(child=serializers.UUIDField(), required=False)
    facts = serializers.DictField(required=False)
    anything = serializers.JSONField(required=False)
    at = serializers.DateTimeField(required=False)


RIGHT: dict[str, list[Any]] = {
    "text": ["405173", None],
    "choice": ["1", "true"],
    "whole": [1, 0, -1],
    "number": [1, 1.5],
    "yes": [True, False],
    "ids": [[], [str(new_id())]],
    "facts": [{}, {"a": 1}],
    "anything": [{}, [], 1, "x", True],
    "at": ["2026-01-02T03:04:05Z"],
}
WRONG: dict[str, list[Any]] = {
    "text": [405173, 1.5, True, [], {}, ["405173"]],
    "choice": [1, True, [], {}],
    "whole": ["1", 1.0, True, [1], {}],
    "number": ["1", True, [], {}],
    "yes": ["yes", "true", 1, 0, "", [], {}],
    "ids": ["x", {}, {"0": "x"}, 1, [1], [[]], [str(new_id()).upper()], [new_id().hex]],
    "facts": ["x", [], 1, [["a", 1]]],
    "at": [1_767_323_045, True, []],
}


def faults(member: str, value: object) -> list[str]:
    given = Everything(data={member: value})
    given.is_valid()
    return list(given.errors)


@pytest.mark.parametrize(("member", "value"), [(member, value) for member in RIGHT for value in RIGHT[member]])
def test_the_right_type_is_taken(member: str, value: object) -> None:
    assert faults(member, value) == []


@pytest.mark.parametrize(("member", "value"), [(member, value) for member in WRONG for value in WRONG[member]])
def test_another_type_is_refused_and_named(member: str, value: object) -> None:
    assert faults(member, value) == [member]


@pytest.mark.parametrize("document", [[], "text", 7, None])
def test_a_document_that_is_no_object_is_refused(document: object) -> None:
    assert not Everything(data=document).is_valid()
