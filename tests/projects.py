"""The files of small migration projects."""

from __future__ import annotations

SETTINGS = """
[project]
name = "test"
batch_rows = {batch_rows}
[target]
url = "{target}"
[systems.{system}]
dump = "dump"
encoding = "{encoding}"
"""

FEBRL_SPEC = """
[table]
system = "febrl"
source = "febrl3"
target = "dm_persons"
key    = ["rec_id"]

[columns.last_name]
from = "surname"
steps = ["collapse_spaces"]
on_fail = "truncate_and_report"

[columns.first_name]
from = "given_name"
on_fail = "truncate_and_report"

[columns.full_name]
from = ["given_name", "surname", "rec_id"]
required = true
on_fail = "truncate_and_report"

[columns.gender]
value = "U"

[columns.restricted]
value = "N"

[columns.date_of_birth]
from = "date_of_birth"
on_fail = "null_and_report"

[evidence.house]
from = "street_number"
[evidence.street]
from = ["address_1", "address_2"]
[evidence.postcode]
from = "postcode"
[evidence.suburb]
from = "suburb"
[evidence.soc_sec_id]
from = "soc_sec_id"

[dropped]
state = "no column of the target holds an Australian state"
"""

FEBRL_LINKAGE = '''
[register]
tables = ["febrl3"]
query = """
SELECT _key AS id, first_name, last_name, date_of_birth, ev_house, ev_street, ev_postcode, ev_suburb, ev_soc_sec_id
FROM febrl3
"""
[fields]
forename = "first_name"
surname = "last_name"
birth_date = "date_of_birth"
house = "ev_house"
street = "ev_street"
postcode = "ev_postcode"
[other]
suburb = "ev_suburb"
soc_sec_id = "ev_soc_sec_id"
'''
