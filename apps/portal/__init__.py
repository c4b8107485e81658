"""The few pages that links in mails lead to, for customers who have none of their own."""
