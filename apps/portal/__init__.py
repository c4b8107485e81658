"""The front page, and the pages that links in mails lead to when a customer has no pages of its own."""
