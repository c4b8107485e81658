"""Pages of the audit log: events, their verification, undoing, and "Why was this user refused?"."""
