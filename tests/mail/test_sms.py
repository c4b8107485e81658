"""SMS: what they cost, how many go out, what takes them, and what is kept of a number."""

from pathlib import Path

import pytest

from apps.mail import outbox, quotas, sms
from apps.mail.errors import QuotaExceeded, SmsUnavailable
from apps.mail.models import Message, MessageState, SmsQuotaUse
from apps.mail.outbox import Quota
from apps.mail.sms import segments
from tests import factories, races
from tests.conftest import MakeClient
from tests.mail import posting

FILE = "apps.mail.sms_transports.File"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ж" * 70, 1),
        ("ж" * 71, 2),
        ("ж" * 135, 3),
        ("🦊" * 35, 1),
        ("🦊" * 36, 2),
        ("a" * 152 + "€" + "a" * 152, 3),
        ("a" * 151 + "€" + "a" * 153, 2),
        ("ж" * 66 + "🦊" + "ж" * 66, 3),
        ("ж" * 65 + "🦊" + "ж" * 67, 2),
    ],
)
def test_segments_are_what_carriers_charge_for(text: str, expected: int) -> None:
    """3GPP TS 23.038: 160 letters of seven bits, or 70 of sixteen; in several, 153 and 67, and none is torn apart."""
    assert segments(text) == expected


@pytest.mark.django_db(transaction=True)
class TestPosting:
    @pytest.fixture(autouse=True)
    def _backend(self, settings: object, tmp_path: Path) -> None:
        settings.SMS_BACKEND, settings.SMS_FILE_PATH = FILE, str(tmp_path / "sms.jsonl")  # type: ignore[attr-defined]

    def test_neither_number_nor_code_stands_in_the_table(self) -> None:
        """C2.4: phone numbers, and bodies holding a code."""
        message = posting.post_sms()
        texts = [value for value in Message.objects.values().get().values() if isinstance(value, str)]
        assert message.recipient in texts
        assert not any(posting.NUMBER in text or posting.CODE in text for text in texts)
        assert message.recipient == "+49 … 78"

    @pytest.mark.race
    @pytest.mark.parametrize("quota", [Quota(daily=7, monthly=1000), Quota(daily=1000, monthly=7)])
    def test_a_quota_of_n_gives_exactly_n(self, quota: Quota) -> None:
        """Issue: limits and cost quotas for SMS as for mail."""
        brand, other = posting.branding(), posting.branding()
        outcomes = races.at_once(
            40, lambda _: races.outcome(lambda: posting.post_sms(brand, quota=quota, now=posting.NOON))
        )
        assert (outcomes.count("done"), outcomes.count("QuotaExceeded")) == (7, 33)
        posting.post_sms(other, quota=quota, now=posting.NOON)
        posting.post(brand, quota=quota, now=posting.NOON)

    def test_long_texts_use_up_more(self) -> None:
        brand = posting.branding(name="N" * 170)
        quota = Quota(daily=3, monthly=9)
        assert posting.post_sms(brand, quota=quota, now=posting.NOON)
        with pytest.raises(QuotaExceeded) as refused:
            posting.post_sms(brand, quota=quota, now=posting.NOON)
        assert refused.value.limit == quotas.SMS_PER_DAY
        assert SmsQuotaUse.objects.get().sent_today == 2

    def test_accents_apart_from_their_letters_cost_no_other_alphabet(self) -> None:
        text = sms.render(posting.sms_draft(), posting.branding(name="So\u0308hne"))
        assert "Söhne" in text
        assert segments(text) == 1

    def test_a_draft_shows_neither_number_nor_code(self) -> None:
        assert posting.NUMBER not in repr(posting.sms_draft())
        assert posting.CODE not in repr(posting.sms_draft())

    def test_a_sandbox_sends_and_counts_nothing(self, settings: object) -> None:
        """C1.7."""
        settings.SMS_BACKEND = ""  # type: ignore[attr-defined]
        message = posting.post_sms(quota=None, sandbox_key_id="abcdefghijkl")
        assert message.state == MessageState.SANDBOXED
        assert outbox.content_of(message).text.endswith(f"#{posting.CODE}")
        assert not SmsQuotaUse.objects.exists()

    def test_without_a_backend_it_says_so(self, settings: object) -> None:
        settings.SMS_BACKEND = ""  # type: ignore[attr-defined]
        with pytest.raises(SmsUnavailable):
            posting.post_sms()
        assert not Message.objects.exists()

    def test_a_test_key_sees_its_own_and_the_number_masked(self, client_for: MakeClient) -> None:
        """C1.7: visible to that key alone."""
        customer = factories.customer()
        (row, key), (_, other) = (factories.api_key(customer, environment="test") for _ in range(2))
        posting.post_sms(quota=None, sandbox_key_id=row.key_id)
        listed, hidden = (
            client_for(None, headers={"X-OTP-API-Key": shown}).call("GET", "/api/sandbox/messages").document["results"]
            for shown in (key, other)
        )
        assert hidden == []
        assert [(item["channel"], item["to"], item["subject"]) for item in listed] == [("sms", "+49 … 78", None)]
        assert listed[0]["text"].endswith(f"#{posting.CODE}")
