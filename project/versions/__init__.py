"""Revisions of the control database, oldest first. Each says in SQL what it makes and imports nothing of ours, so
that it does for ever what it did when it was written.

No batch mode: on SQLite that makes a table again, without its triggers. The log's triggers must stay.
"""
