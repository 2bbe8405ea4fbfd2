"""What is in a dump, column by column, before anybody has written a spec.

discover    which files are tables, and how each is read
headings    what columns are called, in English, Welsh and other languages
counting    the values of a column, counted without keeping them
shapes      what the values look like: kinds, patterns, years
columns     what is known of a column, from its counts
keys        columns that name rows, and columns that hold other tables' keys
profile     the loop over tables, and what it comes to
compare     two profiles: what changed between two extracts
page        the profile as one HTML page
"""

from casebridge.migrate.profiling.profile import Profile, profile_dump

__all__ = ["Profile", "profile_dump"]
