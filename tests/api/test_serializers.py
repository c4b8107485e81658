"""C5: what clients send has the JSON type of its field, whichever field that is."""

from typing import Any

import pytest
from rest_framework import serializers

from apps.api.serializers import StrictSerializer, checked
from apps.core.ids import new_id
from tests import races


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


class Order(StrictSerializer):
    text = serializers.CharField(default="nothing")
    parts = serializers.ListField(child=serializers.CharField(), default=list)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs["parts"].append("seen")
        return attrs


def test_a_document_is_read_without_a_trace_of_the_one_before() -> None:
    """One reader serves all documents of its kind."""
    assert checked(Order, {"text": "one", "parts": ["a"]}) == {"text": "one", "parts": ["a", "seen"]}
    with pytest.raises(serializers.ValidationError) as refused:
        checked(Order, {"text": 1, "parts": [2]})
    assert set(refused.value.detail) == {"text", "parts"}
    for _ in range(2):
        assert checked(Order, {}) == {"text": "nothing", "parts": ["seen"]}


@pytest.mark.parametrize("document", [{"text": None}, {"whole": None}, {"text": [], "ids": ""}, {}])
def test_it_reads_and_refuses_as_a_reader_of_its_own_would(document: dict[str, Any]) -> None:
    alone = Everything(data=document)
    if alone.is_valid():
        assert checked(Everything, document) == alone.validated_data
        return
    with pytest.raises(serializers.ValidationError) as refused:
        checked(Everything, document)
    assert refused.value.detail == alone.errors


def test_many_threads_read_with_the_same_reader() -> None:
    def read(number: int) -> object:
        return checked(Everything, {"text": str(number), "whole": number})

    assert races.at_once(races.THREADS, read) == [
        {"text": str(number), "whole": number} for number in range(races.THREADS)
    ]
