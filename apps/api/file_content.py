"""The content of a file, sent and fetched as a stream under the caller's own key (contract 2.3). Neither is ever held in memory."""

from collections.abc import Iterator
from uuid import UUID

from django.http import StreamingHttpResponse, UnreadablePostError
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.authentication.principal import principal_of, require_still_signed_in
from apps.api.base_views import SignedInView
from apps.api.file_document import FileSerializer, describe_file
from apps.api.refusals import refuses_with
from apps.core import actors
from apps.core.errors import AuthenticationRequired, PayloadTooLarge
from apps.core.requests import context_of, path_as_sent
from apps.files import own_files, receiving, sending
from apps.files.errors import (
    FileFixed,
    FileSizeMismatch,
    FileTypeNotAllowed,
    UploadSuperseded,
    UploadTooSlow,
)
from apps.files.receiving import Upload
from apps.files.sending import OpenContent
from apps.payloads.errors import EncryptionRequired
from apps.payloads.file_stream import RECORD_BYTES
from apps.payloads.token_envelope import TokenEnvelope

STREAM = "application/octet-stream"
ENCODING = "aes128gcm"
PIECE_BYTES = 65_536


class FileContentView(SignedInView):
    """The content of one file of the user."""

    http_method_names = ["get", "put", "options"]  # no HEAD: a stream without its body says nothing

    def takes_body(self, request: Request) -> bool:
        """No: the stream is read by `put`, while it comes in."""
        return False

    @extend_schema(operation_id="fetch_file", responses={(200, STREAM): bytes})
    def get(self, request: Request, file_id: UUID) -> StreamingHttpResponse:
        """The content, with `Content-Encoding: aes128gcm` (RFC 8188). What it is and what it is called, `/api/files/{id}` says.

        A stream that breaks off is not the file: a client trusts the content when the last record has come.
        """
        who = principal_of(request)
        file = own_files.get(who.customer_id, who.user_id, file_id)
        content = sending.open_content(
            file,
            still_allowed=lambda: require_still_signed_in(request),
            context=context_of(request).by(actors.user(who.user_id)),
        )
        return _stream(request, content, size=file.size)

    @extend_schema(operation_id="send_file", request={STREAM: bytes}, responses=FileSerializer)
    @refuses_with(
        *(FileSizeMismatch, FileTypeNotAllowed, FileFixed, UploadSuperseded, UploadTooSlow),
    )
    def put(self, request: Request, file_id: UUID) -> Response:
        """Takes the content, with `Content-Encoding: aes128gcm` (RFC 8188, records of 65,536 bytes). It can be repeated.

        A stream that is truncated, reordered, extended or tampered with is 400 `decryption_failed`, and stores nothing.
        """
        who, envelope = principal_of(request), _envelope_of(request)
        file = own_files.get(who.customer_id, who.user_id, file_id)
        if request.headers.get("Content-Encoding", "").strip().lower() != ENCODING:
            raise EncryptionRequired
        pieces = _limited(_body_of(request), 2 * envelope.sealed_length(file.size) + RECORD_BYTES)
        upload = Upload(
            file=file,
            customer=who.customer,
            content=envelope.open_file(pieces, method=str(request.method), path=path_as_sent(request)),
            still_allowed=lambda: require_still_signed_in(request),
            context=context_of(request),
        )
        return Response(describe_file(receiving.receive(upload)))


class _SealedStream:
    """What the server sends: the sealed content. The server closes it, however the transfer ends."""

    def __init__(self, stream: Iterator[bytes], content: OpenContent) -> None:
        self._stream, self._content = stream, content

    def __iter__(self) -> Iterator[bytes]:
        return self._stream

    def close(self) -> None:
        self._content.close()


def _stream(request: Request, content: OpenContent, *, size: int) -> StreamingHttpResponse:
    envelope = _envelope_of(request)
    sealed = envelope.seal_file(content, method=str(request.method), path=path_as_sent(request))
    return StreamingHttpResponse(
        _SealedStream(sealed, content),
        content_type=STREAM,
        headers={
            "Content-Encoding": ENCODING,
            "Content-Length": str(envelope.sealed_length(size)),
            "Content-Disposition": "attachment",
            "X-Encrypted": "true",
        },
    )


def _envelope_of(request: Request) -> TokenEnvelope:
    if not isinstance(request.auth, TokenEnvelope):
        raise AuthenticationRequired
    return request.auth


def _body_of(request: Request) -> Iterator[bytes]:
    """The body as it comes in. One that ends early, since the client has gone, is noticed by the cipher."""
    environment = request.META
    if "CONTENT_LENGTH" not in environment and environment.get("wsgi.input_terminated"):  # sent in chunks
        read = environment["wsgi.input"].read
    else:
        read = request.read
    try:
        while piece := read(PIECE_BYTES):
            yield piece
    except UnreadablePostError:
        return


def _limited(pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
    """RFC 8188 lets records be padded: not without end. Raises PayloadTooLarge."""
    for piece in pieces:
        most -= len(piece)
        if most < 0:
            raise PayloadTooLarge
        yield piece
