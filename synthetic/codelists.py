"""The made-up council's code lists, as its system administrators left them after thirty years.

One `Code` per line of CF_CODE. Four states matter to a migration:

- live and mapped: the ordinary case.
- dead, mapped (`live=False`): nobody may pick it any more, but old rows carry it and it has a clear
  meaning, so the pack maps it.
- dead, unmapped on purpose (`live=False, mapped=False`): nobody remembers what it meant. A row with such
  an OBS_TYPE, NET_TYPE, SERVICE, ACT_TYPE, WARN_TYPE or DOC_TYPE is held `unmapped_code`; in ETHNIC_CODE,
  RELIGION_CODE, LANG_CODE or MARITAL_CODE the value is set aside and the person loads.
- reused (`since`/`until`): the code stands twice with two meanings; the date of the row decides.

`weight` is how often the code turns up in the data, relative to its neighbours in the list.
No relationship code starts with W: in CF_NETWORK that letter says the row is a worker's involvement.
"""

from casebridge.synthetic.code import Code, dead, lost
from casebridge.synthetic.worklists import (
    ACTIVITY_STATUS,
    ACTIVITY_TYPE,
    AGREEMENT_STATUS,
    AGREEMENT_TYPE,
    DOCUMENT_TYPE,
    ELEMENT,
    OBSERVATION_TYPE,
    ORG_TYPE,
    SERVICE,
    UNIT,
    WARNING_TYPE,
)

SEX = (
    Code("M", "Male", 46),
    Code("F", "Female", 50),
    Code("U", "Unknown / unborn", 1),
    dead("1", "Male (pre-1998 code)", 1.5),
    dead("2", "Female (pre-1998 code)", 1.5),
)

ETHNICITY = (
    Code("A1", "White - British", 80),
    Code("A2", "White - Irish", 1.2),
    Code("A3", "White - Any other White background", 4),
    Code("A4", "White - Traveller of Irish Heritage", 0.4),
    Code("A5", "White - Gypsy / Roma", 0.4),
    Code("B1", "Mixed - White and Black Caribbean", 1.3),
    Code("B2", "Mixed - White and Black African", 0.8),
    Code("B3", "Mixed - White and Asian", 1),
    Code("B4", "Mixed - Any other Mixed background", 0.8),
    Code("C1", "Asian - Indian", 1.5),
    Code("C2", "Asian - Pakistani", 3),
    Code("C3", "Asian - Bangladeshi", 1),
    Code("C4", "Asian - Any other Asian background", 0.8),
    Code("D1", "Black - Caribbean", 0.8),
    Code("D2", "Black - African", 1.8),
    Code("D3", "Black - Any other Black background", 0.5),
    Code("E1", "Chinese", 0.4),
    Code("E2", "Any other ethnic group", 0.9),
    Code("Y1", "Refused", 0.8),
    Code("Z1", "Information not yet obtained", 5),
    dead("W", "White (1991 census code)", 1.5),
    dead("UK", "UK European", 0.5),
    lost("09", "Other (see card)"),
    lost("X2", "Category withdrawn 2001"),
)

RELIGION = (
    Code("CE", "Church of England", 24),
    Code("RC", "Roman Catholic", 10),
    Code("CH", "Christian - other", 10),
    Code("ME", "Methodist", 3),
    Code("MU", "Muslim", 6),
    Code("HI", "Hindu", 1),
    Code("SI", "Sikh", 1),
    Code("JE", "Jewish", 0.7),
    Code("BU", "Buddhist", 0.4),
    Code("JW", "Jehovah's Witness", 0.4),
    Code("NO", "No religion", 25),
    Code("OT", "Other", 1),
    Code("NK", "Not known", 12),
    dead("C", "Christian (old code)", 2),
    lost("99", "99"),
)

LANGUAGE = (
    Code("ENG", "English", 90),
    Code("URD", "Urdu", 1.5),
    Code("PUN", "Punjabi", 1),
    Code("BEN", "Bengali / Sylheti", 0.7),
    Code("GUJ", "Gujarati", 0.4),
    Code("POL", "Polish", 1.4),
    Code("ROM", "Romanian", 0.6),
    Code("CZE", "Czech", 0.3),
    Code("SLO", "Slovak", 0.4),
    Code("ARA", "Arabic", 0.7),
    Code("KUR", "Kurdish", 0.4),
    Code("FAR", "Farsi", 0.4),
    Code("FRE", "French", 0.3),
    Code("SOM", "Somali", 0.3),
    Code("TIG", "Tigrinya", 0.2),
    Code("YOR", "Yoruba", 0.2),
    Code("CAN", "Cantonese", 0.2),
    Code("MAN", "Mandarin", 0.2),
    Code("BSL", "British Sign Language", 0.4),
    Code("MAK", "Makaton", 0.2),
    Code("OTH", "Other", 0.6),
    dead("EN", "English (old code)", 1.5),
    lost("LX1", "Language line ref 1"),
)

MARITAL_STATUS = (
    Code("S", "Single", 40),
    Code("M", "Married", 22),
    Code("W", "Widowed", 16),
    Code("D", "Divorced", 8),
    Code("P", "Separated", 3),
    Code("C", "Cohabiting", 6),
    Code("V", "Civil partnership", 0.6),
    Code("N", "Not known", 4),
    dead("B", "Bachelor / spinster", 0.6),
    lost("7", "Status 7"),
)

ALIAS_TYPE = (
    Code("MAID", "Maiden name", 30),
    Code("PREV", "Previous name", 20),
    Code("AKA", "Also known as", 25),
    Code("NICK", "Nickname / preferred name", 20),
    Code("BIRTH", "Name at birth", 4),
    dead("ALT", "Alternative spelling", 3),
)

ADDRESS_TYPE = (
    Code("MAIN", "Main address", 80),
    Code("TEMP", "Temporary address", 3),
    Code("PLACE", "Placement address", 6),
    Code("CARE", "Care home", 6),
    Code("HOSP", "Hospital", 1),
    Code("CORR", "Correspondence address", 2),
    dead("PERM", "Permanent (old code)", 4),
)

# What OTHER_REF is to PI_NO: a row (child, MOT, woman) says that the woman is the child's mother.
# `inverse` is the code of the mirrored row: what PI_NO is to OTHER_REF.
RELATIONSHIP = (
    Code("MOT", "Mother", 30, inverse="CHI"),
    Code("FAT", "Father", 20, inverse="CHI"),
    Code("CHI", "Child", 4, inverse="PAR"),
    Code("PAR", "Parent", 1, inverse="CHI"),
    Code("SIB", "Sibling", 25, inverse="SIB"),
    Code("HSIB", "Half sibling", 2, inverse="HSIB"),
    Code("TWN", "Twin", 1, inverse="TWN"),
    Code("SPO", "Spouse / partner", 9, inverse="SPO"),
    Code("FCR", "Foster carer", 3, inverse="FCH"),
    Code("FCH", "Foster child", 0.5, inverse="FCR"),
    Code("CAR", "Main carer", 5, inverse="CFR"),
    Code("CFR", "Cared-for person", 0.5, inverse="CAR"),
    Code("GPA", "Grandparent", 1, inverse="GCH"),
    Code("GCH", "Grandchild", 0.3, inverse="GPA"),
    Code("HHM", "Member of household", 2, inverse="HHM"),
    dead("NOK", "Next of kin", 2),  # its inverse is itself "other": a next of kin may be anybody
    lost("XR", "Relationship migrated 1996"),
)

INVOLVEMENT = (
    Code("WKEY", "Key worker", 40),
    Code("WCO", "Co-worker", 12),
    Code("WDUTY", "Duty worker", 12),
    Code("WTEAM", "Team manager", 8),
    Code("WOT", "Occupational therapist", 8),
    Code("WIRO", "Independent reviewing officer", 4),
    Code("WFSW", "Family support worker", 8),
    Code("WSSW", "Supervising social worker (fostering)", 2),
    dead("WPRI", "Primary worker (old code)", 5),
    lost("WX9", "Worker type 9"),
)

# The three long titles keep their full wording in the new system too, so the length rule (8) cuts them.
TITLE = (
    Code("MR", "Mr", 40),
    Code("MRS", "Mrs", 30),
    Code("MISS", "Miss", 16),
    Code("MS", "Ms", 10),
    Code("MX", "Mx", 0.1),
    Code("MASTER", "Master", 3),
    Code("DR", "Dr", 0.5),
    Code("REV", "Rev", 0.2),
    Code("SIR", "Sir", 0.05),
    Code("PROFESSOR", "Professor", 0.1),
    Code("ARCHDEACON", "Archdeacon", 0.02),
    Code("COUNCILLOR", "Councillor", 0.05),
)

# The name of a list is the pack's file name (codes/<name>.csv); upper-cased it is the DOMAIN in CF_CODE.
CODE_LISTS: dict[str, tuple[Code, ...]] = {
    "sex": SEX,
    "ethnicity": ETHNICITY,
    "religion": RELIGION,
    "language": LANGUAGE,
    "marital_status": MARITAL_STATUS,
    "alias_type": ALIAS_TYPE,
    "address_type": ADDRESS_TYPE,
    "relationship": RELATIONSHIP,
    "involvement": INVOLVEMENT,
    "observation_type": OBSERVATION_TYPE,
    "activity_type": ACTIVITY_TYPE,
    "activity_status": ACTIVITY_STATUS,
    "agreement_type": AGREEMENT_TYPE,
    "agreement_status": AGREEMENT_STATUS,
    "service": SERVICE,
    "element": ELEMENT,
    "unit": UNIT,
    "warning_type": WARNING_TYPE,
    "document_type": DOCUMENT_TYPE,
    "org_type": ORG_TYPE,
    "title": TITLE,
}


def inverse_of(code: Code) -> str:
    """The mirrored relationship; a code without one is its own mirror. Not a list of the legacy system."""
    return code.inverse or code.code


__all__ = ["CODE_LISTS", "Code", "inverse_of"]
