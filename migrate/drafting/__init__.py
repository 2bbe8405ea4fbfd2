"""A first project from what is in a dump. Every line that the machine only guessed ends in `# guess`.

names       names that files, databases and queries take
drafted     what a draft says of each table and column, no text yet
tables      how it is made of a profile
column_types, code_lists, circles
            types of the target; codes and codes/*.csv; references that a load can keep
people      which table looks like people, and which of its columns say who they are
together    several systems in one project, and one target for all
reflected   the target that a real database has
specs       the draft as text: tables/*.toml, target.toml, linkage.toml
guesses     the marks that still stand
project     all of it into a folder
one_file    a register that stands in one file, read whole
fields      what linkage takes its columns for
"""

from casebridge.migrate.drafting.project import draft_project

__all__ = ["draft_project"]
