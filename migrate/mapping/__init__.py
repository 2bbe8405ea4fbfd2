"""The mapping as a document: every column of the old system, where it went, how, or why it was dropped.

facts     what the specs and code lists say, as data; kept with every run
compare   what changed between two runs' mappings
page      the document as one HTML page, with counts and causes of the run
"""
