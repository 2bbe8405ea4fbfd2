"""Words of addresses in the United Kingdom and the Channel Islands: short forms, what streets are called, floors.

Parts have the names of Royal Mail's Postcode Address File (sub-building, building, thoroughfare, post town) and of
BS 7666. Short forms are those in use on forms and envelopes; floors and the figures of tenement flats are as
Scottish addresses write them (2/1, 3F2). No list is complete: what is not in one is compared as it is written.
"""

from __future__ import annotations

import re

ENDINGS = {
    "RD": "ROAD", "ST": "STREET", "STR": "STREET", "AVE": "AVENUE", "AV": "AVENUE", "AVEN": "AVENUE", "LN": "LANE",
    "DR": "DRIVE", "DRV": "DRIVE", "CL": "CLOSE", "CLO": "CLOSE", "CRES": "CRESCENT", "CRESC": "CRESCENT",
    "CR": "CRESCENT", "CT": "COURT", "CRT": "COURT", "GDNS": "GARDENS", "GDN": "GARDENS", "GDS": "GARDENS",
    "GRDNS": "GARDENS", "PL": "PLACE", "SQ": "SQUARE", "TER": "TERRACE", "TERR": "TERRACE", "TCE": "TERRACE",
    "GR": "GROVE", "GRV": "GROVE", "GRO": "GROVE", "WY": "WAY", "PK": "PARK", "WK": "WALK", "WLK": "WALK",
    "PDE": "PARADE", "EST": "ESTATE", "BLVD": "BOULEVARD", "YD": "YARD", "HSE": "HOUSE", "BLDGS": "BUILDINGS",
    "COTT": "COTTAGE", "COTTS": "COTTAGES", "FM": "FARM", "MANS": "MANSIONS", "LO": "LODGE",
}  # fmt: skip
"""Last words of streets and buildings, spelled out."""
BEGINNINGS = {
    "ST": "SAINT", "GT": "GREAT", "GRT": "GREAT", "LT": "LITTLE", "LTL": "LITTLE", "UPR": "UPPER", "LWR": "LOWER",
    "MT": "MOUNT", "NTH": "NORTH", "STH": "SOUTH",
}  # fmt: skip
COMPASS = {"N": "NORTH", "S": "SOUTH", "E": "EAST", "W": "WEST"}
_SURE = """
ROAD STREET AVENUE LANE DRIVE CLOSE CRESCENT TERRACE WAY GROVE BOULEVARD WALK PARADE MEWS BYPASS WYND VENNEL BRAE
CIRCUS ESPLANADE PROMENADE ROW SQUARE PLACE GARDENS GATE RISE WHARF QUAY
"""
SURE = frozenset(_SURE.split())
"""What a street is called, and hardly a building or a village."""
_LIKELY = """
GREEN HILL PARK VIEW BANK FOLD BROW YARD COURT CROFT DENE LEA MEADOW MEADOWS MOUNT ESTATE PATH END HEIGHTS CHASE
COMMON CROSS DALE FIELD FIELDS LOAN GAIT PEND LAWN DROVE HEATH BOTTOM SIDE RIDGE VALE WOOD NOOK GARTH GINNEL
"""
LIKELY = frozenset(_LIKELY.split())
"""What streets are called, and other places too."""
FIRST_WORDS = frozenset(
    ("FFORDD", "HEOL", "STRYD", "RHODFA", "CLOS", "LON", "MAES", "TEML", "RHES", "CILGANT", "PARC", "BRYN", "CWRT",
     "RUE", "ROUTE", "VENELLE", "CHEMIN", "CHARRIERE", "RUETTE")
)  # fmt: skip
"""Words that stand first in Welsh streets, and in those of Jersey and Guernsey."""
ARTICLES = frozenset(("LA", "LE", "LES", "L", "Y", "YR", "THE"))
_BUILDINGS = """
HOUSE COTTAGE COTTAGES LODGE FARM FARMHOUSE MANSIONS TOWER TOWERS BUILDING BUILDINGS HALL BARN MILL VILLA VILLAS
BUNGALOW HOSTEL HOSPITAL HOME RECTORY VICARAGE MANOR CHAMBERS HOTEL SCHOOL POINT GRANGE MANSE TY PRISON BARRACKS
"""
BUILDINGS = frozenset(_BUILDINGS.split())
WHOLE_BUILDINGS = frozenset(
    ("COURT", "MANSIONS", "TOWER", "TOWERS", "HEIGHTS", "BUILDING", "BUILDINGS", "CHAMBERS", "HOUSE", "HOSTEL",
     "HOTEL", "HOSPITAL", "HOME", "SCHOOL", "PRISON", "BARRACKS")
)  # fmt: skip
"""Last words by which all of a building is called; a cottage, lodge or barn may stand beside the house."""
_PARTS = """
COACH CARRIAGE CART BOAT SUMMER GARDEN POOL ENGINE GUEST GATE LODGE WASH BAKE BREW MALT TREE FARM STABLE STABLES
BASEMENT ATTIC REAR FRONT TOP UPPER LOWER LEFT RIGHT SIDE BACK MIDDLE CENTRE NORTH SOUTH EAST WEST LITTLE SMALL
ANNEXE ANNEX EXTENSION WING SUITE WARD FLOOR LANDING
"""
PARTS_OF_BUILDINGS = frozenset(_PARTS.split())
"""Words in names of what stands beside a house, or is a part of it."""
_NOWHERE = """
ENGLAND SCOTLAND WALES CYMRU UK GB UNITEDKINGDOM GREATBRITAIN NORTHERNIRELAND CHANNELISLANDS CUMBRIA CORNWALL KENT
ESSEX SURREY NORFOLK SUFFOLK DEVON DORSET SOMERSET CLEVELAND MERSEYSIDE EASTSUSSEX WESTSUSSEX WESTMIDLANDS
TYNEANDWEAR NORTHUMBERLAND RUTLAND COUNTYDURHAM CODURHAM
"""
COUNTRIES = frozenset(_NOWHERE.split())
"""Countries and counties, their blanks left out: they stand behind the town or not. Those in -SHIRE go by that."""
COUNTY = re.compile(r"(?:[A-Z]+ ){0,2}[A-Z]{3,}SHIRE|CO(?:UNTY)? [A-Z]+")
NO_PLACE = re.compile(
    r"^(?:OF )?(?:NFA\b|NO FIXED (?:ABODE|ADDRESS)|NO (?:KNOWN |CURRENT |PERMANENT )?ADDRESS|ROUGH SLEEP\w*"
    r"|SOFA SURF\w*|ADDRESS (?:NOT KNOWN|UNKNOWN|WITHHELD|CONFIDENTIAL|PROTECTED)|(?:UNKNOWN|NOT KNOWN|HOMELESS)$)"
)
"""What says that there is no address, or that it is not told."""
CARE_OF = re.compile(r"^(?:C/O|C-O|CARE OF)\b")
FLOORS = {
    "FIRST": "1ST", "SECOND": "2ND", "THIRD": "3RD", "FOURTH": "4TH", "FIFTH": "5TH", "SIXTH": "6TH",
    "SEVENTH": "7TH", "EIGHTH": "8TH", "NINTH": "9TH", "TENTH": "10TH", "GRD": "GROUND", "GND": "GROUND",
    "BSMT": "BASEMENT", "L": "LEFT", "R": "RIGHT", "ANNEX": "ANNEXE",
}  # fmt: skip
"""Floors and sides of a building, spelled in one way."""
INITIALS_OF_FLOORS = {"GFF": "GROUND", "FFF": "1ST", "SFF": "2ND", "TFF": "TOP"}
SIDES = (
    "BASEMENT", "BSMT", "ATTIC", "LOFT", "CELLAR", "REAR", "FRONT", "LEFT", "RIGHT", "TOP", "UPPER", "LOWER",
    "UPSTAIRS", "DOWNSTAIRS", "GARAGE", "OUTHOUSE", "OUTBUILDING", "SHED", "STABLES",
)  # fmt: skip
"""What is a door of its own where nothing but a number stands beside it."""
KINDS_OF_UNIT = {
    "FLAT": "FLAT", "FLT": "FLAT", "APARTMENT": "FLAT", "APPT": "FLAT", "APT": "FLAT", "APART": "FLAT",
    "FFLAT": "FLAT", "UNIT": "UNIT", "MAISONETTE": "MAISONETTE", "STUDIO": "STUDIO", "BEDSIT": "BEDSIT",
    "SUITE": "SUITE", "ROOM": "ROOM", "RM": "ROOM", "BEDROOM": "ROOM", "BED": "BED", "BLOCK": "BLOCK",
    "CARAVAN": "CARAVAN", "PITCH": "PITCH", "PLOT": "PLOT", "BERTH": "BERTH", "MOORING": "BERTH",
    "PENTHOUSE": "PENTHOUSE", "POD": "POD", "CABIN": "CABIN", "CHALET": "CHALET", "LEVEL": "LEVEL",
    "OFFICE": "OFFICE", "SHOP": "SHOP",
}  # fmt: skip
"""What parts of a building are called, and the word for it. Unit 3 may be the shop below Flat 3, and Studio 3 its
neighbour; a room of a flat is another door."""
COUNTED = ("ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE", "TEN", "ELEVEN", "TWELVE")
"""Numbers of flats in words; streets and houses may be called by them (Seven Sisters Road)."""
_CITIES = "BIRMINGHAM|BRADFORD|BRIGHTON|EDINBURGH|GLASGOW|LEEDS|LIVERPOOL|MANCHESTER|NEWCASTLE|SALFORD|SHEFFIELD"
DISTRICT = re.compile(rf"(?:{_CITIES}) \d\d?|LONDON (?:[NSEW]|NW|SE|SW|EC|WC)\d\d?[A-Z]?")
"""Districts of cities, by the numbers that letters bore before postcodes, and still do: Leeds 6, London N1."""


def street_words(text: str) -> str:
    """A street or building in plain capitals, spelled out: first and last words, and a point of the compass
    behind.

    >>> [street_words(one) for one in ("ST MARYS RD", "GT NORTH RD", "HIGH ST W", "THE  GREEN", "CHURCH ST")]
    ['SAINT MARYS ROAD', 'GREAT NORTH ROAD', 'HIGH STREET WEST', 'THE GREEN', 'CHURCH STREET']
    """
    words = text.split()
    if len(words) > 1:
        words[0] = BEGINNINGS.get(words[0], words[0])
        behind = len(words) > 2 and words[-1] in {*COMPASS, *COMPASS.values()}
        if behind:
            words[-1] = COMPASS.get(words[-1], words[-1])
        last = -2 if behind else -1
        words[last] = ENDINGS.get(words[last], words[last])
    return " ".join(words)
