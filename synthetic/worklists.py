"""Code lists about work, money and paper; codelists.py explains them."""

from datetime import date

from casebridge.synthetic.code import Code, dead, lost

# HV and CR changed their meaning when the children's teams took the codes over.
OBSERVATION_TYPE = (
    Code("CN", "Case note", 40),
    Code("TC", "Telephone call", 25),
    Code("HV", "Health visitor contact", 4, until=date(2004, 3, 31)),
    Code("HV", "Home visit", 10, since=date(2004, 4, 1)),
    Code("CR", "Court report", 1, until=date(2008, 12, 31)),
    Code("CR", "Case recording summary", 2, since=date(2009, 1, 1)),
    Code("EM", "E-mail", 9),
    Code("LT", "Letter", 4),
    Code("MT", "Meeting", 5),
    Code("SV", "Statutory visit", 3),
    Code("SP", "Supervision discussion", 2),
    Code("CH", "Chronology entry", 2),
    Code("MD", "Management decision", 2),
    dead("OV", "Office visit", 1),
    dead("FX", "Fax", 0.6),
    lost("ZZ", "Converted event"),
    lost("Q1", "Q1"),
)

ACTIVITY_TYPE = (
    Code("REF", "Referral", 14),
    Code("IA", "Initial assessment", 8),
    Code("CORE", "Core assessment", 4),
    Code("SAF", "Single assessment", 6),
    Code("CCA", "Community care assessment", 10),
    Code("CARA", "Carer's assessment", 3),
    Code("OTA", "Occupational therapy assessment", 6),
    Code("S47", "Section 47 enquiry", 3),
    Code("ICPC", "Initial child protection conference", 2),
    Code("RCPC", "Review child protection conference", 2),
    Code("CINR", "Child in need review", 4),
    Code("LACR", "Looked-after child review", 4),
    Code("STAT", "Statutory visit", 5),
    Code("RVW", "Annual review", 12),
    Code("SGA", "Safeguarding adults enquiry", 3),
    Code("FIN", "Financial assessment", 5),
    Code("CLO", "Case closure", 6),
    dead("FACE", "FACE overview assessment", 2),
    dead("NHSC", "NHS and Community Care Act assessment", 2),
    lost("A99", "Legacy action"),
    lost("CNV", "Conversion"),
)

ACTIVITY_STATUS = (
    Code("OPEN", "Open", 12),
    Code("PROG", "In progress", 8),
    Code("DONE", "Completed", 70),
    Code("CANC", "Cancelled", 6),
    dead("NFA", "No further action", 4),
)

AGREEMENT_TYPE = (
    Code("HOME", "Home care package", 30),
    Code("RES", "Residential placement", 18),
    Code("NURS", "Nursing placement", 10),
    Code("DP", "Direct payment", 16),
    Code("DAY", "Day services", 8),
    Code("FOST", "Foster placement", 10),
    Code("SGO", "Special guardianship allowance", 3),
    Code("RESP", "Respite", 5),
    dead("BLOC", "Block contract place", 3),
)

AGREEMENT_STATUS = (
    Code("A", "Authorised", 70),
    Code("P", "Pending authorisation", 5),
    Code("C", "Closed", 23),
    Code("X", "Cancelled", 2),
)

SERVICE = (
    Code("HC", "Home care", 30),
    Code("HCN", "Home care - nights", 3),
    Code("RESC", "Residential care", 14),
    Code("RESD", "Residential care - dementia", 5),
    Code("NURC", "Nursing care", 8),
    Code("DPAY", "Direct payment", 14),
    Code("DAYC", "Day care", 7),
    Code("RSPT", "Respite care", 5),
    Code("SL", "Supported living", 5),
    Code("FOST", "Fostering allowance", 9),
    Code("IFA", "Independent fostering agency", 3),
    Code("CHOM", "Children's home", 1),
    Code("SGAL", "Special guardianship allowance", 3),
    Code("EQUP", "Equipment", 3),
    Code("TRAN", "Transport", 3),
    dead("MEAL", "Meals on wheels", 2),
    dead("HH", "Home help", 2),
    lost("SVX", "Service X"),
    lost("OLD1", "Old scheme 1"),
)

ELEMENT = (
    Code("STD", "Standard rate", 60),
    Code("ENH", "Enhanced rate", 10),
    Code("WKND", "Weekend rate", 8),
    Code("BH", "Bank holiday rate", 3),
    Code("SKIL", "Skill payment", 5),
    Code("FNC", "Funded nursing care", 6),
    Code("AGE1", "Allowance age 0-4", 2),
    Code("AGE2", "Allowance age 5-10", 2),
    Code("AGE3", "Allowance age 11-15", 2),
    Code("AGE4", "Allowance age 16-17", 2),
    dead("BASE", "Basic (old scheme)", 3),
)

UNIT = (
    Code("HR", "Hour", 35),
    Code("WK", "Week", 50),
    Code("DY", "Day", 6),
    Code("NT", "Night", 3),
    Code("SE", "Session", 4),
    Code("ON", "One-off", 2),
)

WARNING_TYPE = (
    Code("VIOL", "Violence to staff", 20),
    Code("DOG", "Dangerous dog", 12),
    Code("WEAP", "Weapon in household", 4),
    Code("TWO", "Visit in pairs", 16),
    Code("CPP", "Child protection plan", 12),
    Code("MAPP", "MAPPA nominal", 4),
    Code("INF", "Infection risk", 5),
    Code("SELF", "Risk of self-harm", 8),
    Code("FIRE", "Fire risk", 4),
    Code("ADDR", "Address must not be disclosed", 6),
    dead("RED", "Red card", 3),
    lost("W7", "Flag 7"),
)

DOCUMENT_TYPE = (
    Code("LET", "Letter", 35),
    Code("ASS", "Assessment", 20),
    Code("CPLN", "Care plan", 14),
    Code("MIN", "Minutes", 8),
    Code("RPT", "Report", 8),
    Code("CRT", "Court document", 4),
    Code("FRM", "Form", 6),
    Code("PHO", "Photograph", 2),
    Code("CON", "Consent", 3),
    dead("SCAN", "Scanned paper file", 4),
    lost("DX", "Document type X"),
)

ORG_TYPE = (
    Code("DEPT", "Directorate or service", 2),
    Code("TEAM", "Social work team", 20),
    Code("HCA", "Home care agency", 20),
    Code("CH", "Care home", 30),
    Code("NH", "Nursing home", 12),
    Code("IFA", "Independent fostering agency", 6),
    Code("DAYC", "Day centre", 6),
    Code("VOL", "Voluntary organisation", 4),
    Code("CHH", "Children's home", 3),
    dead("PTIII", "Part III home", 2),
)
