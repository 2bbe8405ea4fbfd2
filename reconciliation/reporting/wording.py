"""Plain words for the report: what a place, a rule and a check mean to somebody who was not there."""

from __future__ import annotations

from collections.abc import Mapping

PLACE_WORDS: Mapping[str, str] = {
    "loaded": "stands in the new system",
    "merged": "folded into another record of the same person, by a reviewer's decision",
    "combined": "became part of another row, such as one piece of a long case note",
    "rejected": "broke a rule; kept whole, can be replayed when mended",
    "excluded": "left behind on purpose, by a rule with a named owner",
    "held": "waits for a person to decide",
    "unexplained": "nobody can say where it went",
}

RULE_WORDS: Mapping[str, str] = {
    "repeated_header": "the header stands once more between the rows",
    "ruler_line": "a line of dashes, no record",
    "footer_line": "a line about the export, no record",
    "broken_record": "a line that is no record in JSON",
    "comment_line": "a comment, no record",
    "cell_error": "the cell shows an error, such as #N/A",
    "formula_without_result": "a formula whose result the workbook does not hold",
    "ragged_line": "the line has too many or too few fields",
    "broken_quote": "a quotation mark was opened and never closed",
    "nul_byte": "the line holds bytes that no text has",
    "undecodable": "the line holds characters that the old system's alphabet does not have",
    "duplicate_key": "the key stands in the file a second time; the first row counts",
    "unclaimed": "no rule says where such a row belongs",
    "required": "a value that must be there is missing",
    "money": "the amount is no number",
    "number": "the value is no number",
    "uuid": "the value is no uuid",
    "date": "there is no such day",
    "period": "the period is not a year and a month",
    "years": "the year cannot be right",
    "positive": "the number is not above zero",
    "one_of": "the value is none of those allowed",
    "max_length": "the text is longer than the new system allows",
    "ambiguous_date": "the date can be read in two ways",
    "ambiguous_number": "the number can be read in two ways",
    "decimals": "the number has more decimals than the new system keeps",
    "time": "there is no such time of day",
    "unusual_blank": "the text holds blanks inside that nobody sees",
    "nhs_number": "not a valid NHS number",
    "upn": "not a valid unique pupil number",
    "postcode": "not a valid postcode",
    "temporary_upn": "not a valid temporary pupil number",
    "uln": "not a valid unique learner number",
    "nino": "not a valid National Insurance number",
    "uprn": "not a valid property reference number",
    "ods_practice": "not the code of a general practice",
    "ssda903_id": "not a valid child identifier of the SSDA903 return",
    "ssda903_legal_status": "no legal status of the SSDA903 return",
    "ssda903_placement": "no placement type of the SSDA903 return",
    "ssda903_need": "no category of need of the SSDA903 return",
    "ssda903_new_episode": "no reason for a new episode of the SSDA903 return",
    "ssda903_end_reason": "no reason for the end of an episode of the SSDA903 return",
    "ssda903_ethnicity": "no ethnic code of the SSDA903 return",
    "ssda903_sex": "no sex of the SSDA903 return",
    "age": "nobody can be so old, or so far from being born",
    "death_before_birth": "the day of death comes before the day of birth",
    "age_over_115": "more than 115 years lie between the two days",
    "end_before_start": "the end comes before the beginning",
    "closed_stays_closed": "the end cannot be read: what was closed would be open again",
    "email": "not an e-mail address",
    "unmapped_code": "the old code has no agreed meaning in the new system",
    "unknown_lookup": "it is not found, or not as one thing, in the table that explains it",
    "self_relationship_after_merge": "a relationship between two records that are now one person",
    "orphan": "it points at a record that no row which could be read stands for",
    "parent": "the record it belongs to was not loaded",
    "self_relationship": "a person related to themselves",
    "missing_chunk": "a piece of the case note is missing, or its number cannot be read",
    "chunks_of_two_notes": "the pieces under one number are of two case notes",
    "chunks_of_two_people": "the pieces of the case note name two people",
    "file_missing": "the document's file is not on disk",
    "file_changed": "the document's file is not the one that was recorded",
    "lookup": "a line of a table that only explains codes, and no record",
    "unreferenced_file": "no record points at this file",
}

CHECK_WORDS: Mapping[str, str] = {
    "rows_balance": "Every source row has exactly one place",
    "specs_balance": "Every row that a spec asked for has exactly one place in its account",
    "specs_arrive": "No spec stays without everything it asked for",
    "limits_kept": "No more stays behind than was agreed, or a named person has accepted it",
    "extracted_once": "No source row was taken in twice",
    "lineage_known": "No stage speaks of a row that was never extracted",
    "target_explained": "Every row in the new system is explained by source rows",
    "all_written": "Every row that was written is still there",
    "keys_unique": "No primary key stands twice",
    "references_resolve": "Every reference points at a record that is there",
    "contents_equal": "Every value in the new system is the one that was loaded",
    "restricted_by_id": "Restricted records are the same ones, person by person",
    "control_totals": "Control totals agree, to the penny",
    "counts_by_code": "Counts agree, code by code",
    "merges_done": "Records merged away do not stand beside their survivors",
    "crosswalk_leads": "Every old number leads to its person in the new system",
    "files_unchanged": "The files behind this report are byte for byte those recorded",
}

VERDICT_WORDS: Mapping[str, str] = {
    "set_aside": "set aside",
    "truncated": "cut to length",
    "warned": "loaded as it was",
}

GLOSSARY: Mapping[str, str] = {
    "source row": "One record of the old system: the unit in which everything here is counted.",
    "place": "Where a source row ended. There are six, and every row is in exactly one.",
    "spec": "One file of rules: which rows of the old system become which table of the new one.",
    "asked": "The rows that a spec takes: those that pass its condition, or that its query gives.",
    "limit": "The share of a spec's rows that may stay behind, agreed before the run.",
    "cause": "The first rule that stopped a row, in the order in which rows are judged.",
    "reconciliation": "Proof that two sets of books agree, made from data that was read again on both sides.",
    "control total": "A sum worked out independently on both sides. Any difference means that something is wrong.",
    "variance": "The difference between the two sides of a control total.",
    "set aside": "A single faulty value was left out and kept for repair; its record still travelled on.",
    "undecided pair": "Two records that look like one person, which no reviewer has judged yet. They stay apart.",
    "restricted": "A record only named workers may open. A merge takes the stricter of both marks.",
    "disposition": "The line of the account that says where one source row went, and why.",
    "orphan": "A row that refers to one that no readable row of the old system stands for.",
}


def rule_words(rule: str) -> str:
    """What a rule says, in words; a project's own rules speak by their names."""
    return RULE_WORDS.get(rule, rule.replace("_", " "))
