"""Identity documents: an operator opens them, decides by them, and they are deleted when they have served their purpose."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.test import Client as Browser
from django.utils import timezone

from apps.approvals import tasks
from apps.approvals.models import IdentityCheck
from apps.audit.models import Event
from apps.files.models import UserFile
from apps.mail.models import Message
from tests import factories
from tests.approvals.approving import decide
from tests.conftest import MakeClient
from tests.files.conftest import storage  # noqa: F401  (a fixture)
from tests.files.keeping import PNG, Place, pdf
from tests.operators.limiting import give
from tests.operators.signing_in import operator, signed_in

pytestmark = pytest.mark.django_db(transaction=True)


class Waiting(Place):
    """A user who waits for a decision, with a session."""

    def __init__(self, client_for: MakeClient, storage: Path) -> None:  # noqa: F811
        super().__init__(client_for, storage, demands_approval=True)
        self.wait()

    def wait(self) -> None:
        self.user.status, self.user.email_verified_at = "pending", timezone.now()
        self.user.save()
        self.check = IdentityCheck.objects.create(user=self.user, customer=self.customer, created_at=timezone.now())
        self.token = factories.session(self.user).access

    @property
    def page(self) -> str:
        return f"/admin/approvals/identitycheck/{self.check.id}"

    def document(self, file_id: str) -> str:
        return f"{self.page}/documents/{file_id}/"


@pytest.fixture
def place(client_for: MakeClient, storage: Path) -> Waiting:  # noqa: F811
    return Waiting(client_for, storage)


@pytest.fixture
def boss() -> Browser:
    return signed_in(operator("boss"))


def content(browser: Browser, path: str) -> bytes:
    answer = browser.get(path)
    assert answer.status_code == 200
    return answer.getvalue()


def test_an_operator_opens_a_document_and_decides(place: Waiting, boss: Browser) -> None:
    """C4: a pending user's identity documents appear in the admin, where an operator opens, approves or rejects them."""
    paper = pdf(200_000)
    file_id = place.keep(paper, name="Reisepass.pdf")
    page = boss.get(f"{place.page}/change/").content.decode()
    assert place.document(file_id) in page
    assert "Reisepass.pdf" in page
    assert f"{place.document(file_id)}?download=1" in page
    assert content(boss, place.document(file_id)) == paper
    opened = Event.objects.get(action="file_opened")
    assert (opened.actor, opened.user_id, opened.details["file"]) == ("operator:boss", place.user.id, file_id)
    assert boss.post(f"{place.page}/reject/", {"reason": " "}).status_code == 200, "a reason is demanded"
    place.check.refresh_from_db()
    assert place.check.state == "waiting"
    boss.post(f"{place.page}/reject/", {"reason": "It has expired."})
    assert Message.objects.filter(kind="user_rejected", user_id=place.user.id).count() == 1
    boss.post(f"{place.page}/approve/")
    assert place.client.get("/api/auth/me", token=place.token).document["status"] == "active"
    for action in ("user_rejected", "user_approved"):
        document = UserFile.objects.get(id=file_id)
        named = Event.objects.get(action=action).details["documents"]
        assert named == [{"file": file_id, "sha256": document.sha256}]


def test_a_browser_runs_nothing_of_a_document_and_keeps_no_copy(place: Waiting, boss: Browser) -> None:
    """A picture with HTML in it stays a picture, and is called one."""
    file_id = place.keep(PNG + b"<script>alert(1)</script>", name='"ü.html')
    answer = boss.get(place.document(file_id))
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Content-Disposition"] == "inline; filename*=utf-8''%22%C3%BC.html.png"
    answer.close()
    paper = boss.get(place.document(place.keep()))
    assert paper.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'", (
        "or it is not shown"
    )
    assert paper.headers["Content-Disposition"].startswith("inline;")
    paper.close()
    saved = boss.get(f"{place.document(file_id)}?download=1")
    assert saved.headers["Content-Disposition"].startswith("attachment;")
    saved.close()


def test_what_browsers_might_run_is_saved_and_not_shown(place: Waiting, boss: Browser) -> None:
    factories.policy(place.customer, file_types=["image/svg+xml", "text/html", "application/octet-stream"])
    for text, name, ending in ((b"<svg xmlns='x'/>", "a.svg", ".svg"), (b"<html>", "b.pdf", ".html"), (b"\1", "c", "")):
        answer = boss.get(place.document(place.keep(text, name=name)))
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert ending in answer.headers["Content-Disposition"]
        assert answer.headers["Content-Security-Policy"].startswith("sandbox;")
        answer.close()


def test_only_an_operator_who_may_decide_opens_documents(place: Waiting) -> None:
    file_id = place.keep()
    viewer = operator("viewer", is_superuser=False)
    give(viewer, Permission.objects.filter(codename="view_identitycheck"))
    browser = signed_in(viewer)
    page = browser.get(f"{place.page}/change/")
    assert page.status_code == 200
    assert place.document(file_id) not in page.content.decode()
    assert browser.get(place.document(file_id)).status_code == 403
    assert Browser().get(place.document(file_id)).status_code == 302, "to the sign-in"
    assert not Event.objects.filter(action="file_opened").exists()


def test_a_check_opens_the_identity_documents_of_its_own_user_alone(place: Waiting, boss: Browser) -> None:
    """Neither those of another user or customer, nor what its user keeps for another purpose, nor what has not come."""
    other = factories.user(place.customer, "grace@example.com")
    token = factories.session(other).access
    theirs = place.announced(token=token)
    assert place.send(theirs, pdf(1000), token=token).status == 200
    unlike = place.keep(purpose="avatar")
    for file_id in (theirs, unlike, place.announced(), str(place.check.id)):
        assert boss.get(place.document(file_id)).status_code == 404
    assert not Event.objects.filter(action="file_opened").exists()


def test_a_document_stays_as_the_operator_saw_it(place: Waiting, boss: Browser) -> None:
    first, second = pdf(1000), pdf(1000)[:-1] + b"x"
    file_id = place.keep(first)
    assert place.send(file_id, second).status == 200
    assert content(boss, place.document(file_id)) == second
    refused = place.send(file_id, first)
    assert (refused.status, refused.error_type) == (409, "file_fixed")
    assert place.send(file_id, second).status == 200, "the same once more changes nothing"
    assert place.fetch(file_id)[1] == second


def test_documents_are_deleted_a_while_after_the_decision(place: Waiting) -> None:
    """30 days. What was uploaded since, for another decision, counts its own days; and nothing goes before a decision."""
    old, other = place.keep(), place.keep(purpose="avatar")
    long_ago = timezone.now() - timedelta(days=31)
    UserFile.objects.update(created_at=long_ago)
    assert tasks.delete_old_documents() == 0
    decide(place.check, approve=False, reason="It has expired.")
    assert tasks.delete_old_documents() == 0
    IdentityCheck.objects.update(decided_at=long_ago)
    new = place.keep()
    assert tasks.delete_old_documents() == 1
    assert {str(file.id) for file in UserFile.objects.all()} == {other, new}
    deleted = Event.objects.get(action="file_deleted")
    assert (deleted.actor, deleted.details["file"]) == ("system", old)
