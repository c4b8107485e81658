"""Mail tests talk to real SMTP servers, and some to real workers."""

from tests.mail.smtp import mail_server, make_mail_server
from tests.worker import make_worker

__all__ = ["mail_server", "make_mail_server", "make_worker"]
