"""In: a table and its fields. Out: a `Register`: every value read, cleaned once per distinct value, as integers."""
