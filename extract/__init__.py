"""The first stage: a council's dump into immutable batches, every physical line accounted for.

dump        what the preflight hands to the readers
preflight   refuses a dump that is not as the specs say, before anything is written
readers     the registry of formats: start here to add one
quoting     what a record of a delimited file is; records, columns: the same at speed
stage       the loop over sources and pending batches
"""

from casebridge.extract.stage import run

__all__ = ["run"]
