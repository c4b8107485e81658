"""Tests of approvals talk to real identity checks, mail servers and workers."""

from tests.approvals.checking import asked, checker
from tests.mail.smtp import mail_server, make_mail_server
from tests.worker import make_worker

__all__ = ["asked", "checker", "mail_server", "make_mail_server", "make_worker"]
