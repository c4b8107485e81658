"""Hourly figures of what happened: counted by a task, so that an overview need not read a hundred million rows."""
