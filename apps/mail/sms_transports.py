"""The backends that send SMS. SMS_BACKEND names the class, as EMAIL_BACKEND does in Django."""

import json
import os
import re
from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import lru_cache
from urllib.parse import urlencode, urlsplit

import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from apps.core import outgoing
from apps.core.outgoing import Unreachable
from apps.mail.content import Sms, masked
from apps.mail.transports import Receipt, Refused, TransportDown

TWILIO = "https://api.twilio.com"
MESSAGING_SERVICE = re.compile(r"MG[0-9a-f]{32}")
# We or they can mend these, or they pass by themselves: worth another attempt. Any other 4xx is about this message.
WORTH_ANOTHER_TRY = frozenset({401, 402, 403, 408, 425, 429})
# Gateways repeat number and text in their answers and refusals, and many people read the ledger: only ids and codes are kept.
TELLING = re.compile(
    r'"(sid|id|message_id|messageId|status|code|error_code)"\s*:\s*"?([A-Za-z0-9_.:-]{1,64})(?=["\s,}\]])'
)
LONGEST_ANSWER = 4096  # bytes; Twilio's takes about one KiB, with the id near its end

log = structlog.get_logger(__name__)


class SmsBackend(ABC):
    """Sends SMS. Each process makes one."""

    @abstractmethod
    def send(self, sms: Sms, *, message_id: str, within: float) -> Receipt:
        """Send the SMS, within so many seconds. Raises Refused or TransportDown."""


class Console(SmsBackend):
    """Writes SMS into the log, for development."""

    def send(self, sms: Sms, *, message_id: str, within: float) -> Receipt:
        log.info("sms", message_id=message_id, number=masked(sms.number), text=sms.text)
        return Receipt("console", "written")


class File(SmsBackend):
    """Appends SMS to SMS_FILE_PATH as JSON lines, for demos and tests."""

    def send(self, sms: Sms, *, message_id: str, within: float) -> Receipt:
        line = json.dumps({"id": message_id, "to": sms.number, "from": sms.sender, "text": sms.text})
        try:
            with open(settings.SMS_FILE_PATH, "a", encoding="utf-8", opener=_for_its_owner) as file:
                file.write(f"{line}\n")
        except OSError as error:
            raise TransportDown("file", f"{type(error).__name__}: {error}") from error
        return Receipt("file", "written")


def _for_its_owner(path: str, flags: int) -> int:
    """Only its owner may read the file: it holds codes."""
    return os.open(path, flags, 0o600)


class Twilio(SmsBackend):
    """Twilio's REST API (https://www.twilio.com/docs/messaging/api/message-resource)."""

    base_url = TWILIO

    def __init__(self) -> None:
        _require("SMS_TWILIO_ACCOUNT_SID", "SMS_TWILIO_AUTH_TOKEN", "SMS_TWILIO_FROM")

    def send(self, sms: Sms, *, message_id: str, within: float) -> Receipt:
        account, secret = settings.SMS_TWILIO_ACCOUNT_SID, settings.SMS_TWILIO_AUTH_TOKEN
        fields = {"To": sms.number, "Body": sms.text, **self._sender(sms)}
        return _post(
            f"{self.base_url}/2010-04-01/Accounts/{account}/Messages.json",
            urlencode(fields).encode(),
            {
                "Content-Type": "application/x-www-form-urlencoded",
                "Authorization": "Basic " + b64encode(f"{account}:{secret}".encode()).decode(),
            },
            sms,
            within=within,
        )

    def _sender(self, sms: Sms) -> dict[str, str]:
        """A number, an alphanumeric id, or a messaging service."""
        sender = sms.sender or settings.SMS_TWILIO_FROM
        return {"MessagingServiceSid" if MESSAGING_SERVICE.fullmatch(sender) else "From": sender}


class Http(SmsBackend):
    """Any gateway that takes `{"id", "to", "from", "text"}` by POST at SMS_HTTP_URL, with SMS_HTTP_TOKEN as bearer."""

    def __init__(self) -> None:
        _require("SMS_HTTP_URL")

    def send(self, sms: Sms, *, message_id: str, within: float) -> Receipt:
        document = {"id": message_id, "to": sms.number, "from": sms.sender, "text": sms.text}
        headers = {"Content-Type": "application/json", "Idempotency-Key": message_id}
        if settings.SMS_HTTP_TOKEN:
            headers["Authorization"] = f"Bearer {settings.SMS_HTTP_TOKEN}"
        return _post(settings.SMS_HTTP_URL, json.dumps(document).encode(), headers, sms, within=within)


def configured() -> SmsBackend:
    """The backend that SMS_BACKEND names. Raises ImproperlyConfigured if there is none, or a setting is missing."""
    return _made(settings.SMS_BACKEND)


@lru_cache(maxsize=4)
def _made(path: str) -> SmsBackend:
    try:
        kind = import_string(path)
    except ImportError as error:
        raise ImproperlyConfigured(f"SMS_BACKEND: there is no {path!r}.") from error
    if not (isinstance(kind, type) and issubclass(kind, SmsBackend)):
        raise ImproperlyConfigured(f"SMS_BACKEND: {path} is no SmsBackend.")
    return kind()


def _require(*names: str) -> None:
    missing = [name for name in names if not getattr(settings, name)]
    if missing:
        raise ImproperlyConfigured(f"SMS_BACKEND needs {', '.join(missing)}.")


def _post(url: str, body: bytes, headers: Mapping[str, str], sms: Sms, *, within: float) -> Receipt:
    """POST to an address that the operator has set. Raises Refused or TransportDown."""
    server = urlsplit(url).netloc.rpartition("@")[2]
    try:
        reply = outgoing.post(url, body, headers, within=within, private_allowed=True, longest=LONGEST_ANSWER)
    except Unreachable as error:
        raise TransportDown(server, str(error)) from error
    return _receipt(server, reply.status, " ".join([str(reply.status), *_told(reply.text, sms)]))


def _told(answer: str, sms: Sms) -> Iterator[str]:
    """The parts of a gateway's answer that may be kept: nothing that repeats what was sent."""
    for name, value in TELLING.findall(answer):
        if value not in sms.number and value not in sms.text:
            yield f"{name}={value}"


def _receipt(server: str, status: int, answer: str) -> Receipt:
    if status in range(200, 300):
        return Receipt(server, answer)
    if status in range(400, 500) and status not in WORTH_ANOTHER_TRY:
        raise Refused(server, answer)
    raise TransportDown(server, answer)
