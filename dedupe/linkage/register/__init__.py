"""In: a table and its fields. Out: a `Register`: each distinct value cleaned once, then integers."""
