"""Some tests of accounts talk to a real mail server."""

from tests.mail.smtp import mail_server, make_mail_server

__all__ = ["mail_server", "make_mail_server"]
