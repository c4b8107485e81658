"""A user who keeps files: announced, sent, fetched; and what is there of them, in the database and in the storage."""

from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from apps.customers.models import Customer
from apps.files.models import FileUse, StoredObject, UserFile
from apps.users.models import User
from demo import file_stream
from demo.client import STREAM, Answer, TokenKeys
from tests import factories
from tests.conftest import MakeClient

PDF, PNG, JPEG = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1"
RECORD = 65_536


def pdf(size: int) -> bytes:
    """So many bytes that begin as a PDF does, of which no two records are alike."""
    numbers = array("I", range(size // 4 + 1))  # of four bytes each
    return (PDF + numbers.tobytes())[:size]


class Place:
    """A customer, a signed-in user of it, and a client."""

    def __init__(self, client_for: MakeClient, storage: Path, **policy: Any) -> None:
        self.storage = storage
        self.customer: Customer = factories.customer(**policy)
        self.user: User = factories.user(self.customer)
        self.client = client_for(None)  # the token says whose user calls
        self.token = factories.session(self.user).access

    def other_user(self, email: str = "grace@example.com", of: Customer | None = None) -> str:
        """The token of another user."""
        return factories.session(factories.user(of or self.customer, email)).access

    def announce(self, size: int = 1000, *, token: str | None = None, **fields: Any) -> Answer:
        document = {"name": "paper.pdf", "purpose": "identity_document", "size": size, **fields}
        return self.client.post("/api/files", document, token=token or self.token)

    def announced(self, size: int = 1000, **fields: Any) -> str:
        """The id of a file without its content yet."""
        answer = self.announce(size, **fields)
        assert answer.status == 201, answer.document
        return str(answer.document["id"])

    def send(self, file_id: str, content: bytes, *, token: str | None = None) -> Answer:
        return self.client.put_file(file_id, content, token=token or self.token)

    def keep(self, content: bytes | None = None, **fields: Any) -> str:
        """The id of a file with its content."""
        content = pdf(1000) if content is None else content
        file_id = self.announced(len(content), **fields)
        answer = self.send(file_id, content)
        assert answer.status == 200, answer.document
        return file_id

    def fetch(self, file_id: str, *, token: str | None = None) -> tuple[Answer, bytes]:
        return self.client.get_file(file_id, token=token or self.token)

    def stream(self, file_id: str, content: bytes, *, token: str | None = None, path: str | None = None) -> bytes:
        """The encrypted stream of an upload, as `path` and `token` make it."""
        keys = TokenKeys(token or self.token)
        material = keys.file_material("PUT", path or f"/api/files/{file_id}/content")
        return b"".join(file_stream.encrypted([content], material=material, key_id=keys.kid))

    def send_raw(self, file_id: str, stream: bytes, **headers: str) -> Answer:
        """These bytes, whatever they are."""
        given = {**STREAM, "Authorization": f"Bearer {self.token}", **headers}
        return self.client.call(
            "PUT", f"/api/files/{file_id}/content", stream, headers=given, keys=TokenKeys(self.token)
        )

    def objects(self) -> list[Path]:
        """What the storage holds."""
        return sorted(path for path in self.storage.rglob("*") if path.is_file())

    def used(self) -> int:
        """The bytes that count for the customer."""
        found = FileUse.objects.of(self.customer.id).first()
        return found.bytes if found else 0

    def require_nothing_kept(self, but: Iterable[str] = ()) -> None:
        """No content, in the database or in the storage, of any file but these."""
        kept = UserFile.objects.exclude(content=None)
        assert {str(file.id) for file in kept} == set(but)
        named = {file.content.name for file in kept.select_related("content") if file.content}
        assert {path.relative_to(self.storage).as_posix() for path in self.objects()} == named
        assert StoredObject.objects.count() == len(named)
