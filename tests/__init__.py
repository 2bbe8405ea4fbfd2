"""The tests. What several of them stand on, and where it is:

| file | gives |
|---|---|
| `conftest.py` | PostgreSQL databases, one server for all |
| `councils.py` | a made-up council, its migration, the real command line, what stands in a target |
| `shelf.py` | that council's project as each stage left it: made once for all workers, and copied |
| `dumps.py` | a hand-made CareFirst dump: the rows a test cares about in otherwise empty files |
| `kin.py` | a few people and how they are related, by the command line alone: two CSV files, decisions |
| `cases_run.py` | a project of `cases/`, copied, its commands run in process, what then stands in its target |
| `desks.py` | a review desk without a run: an evidence file, accounts, somebody at a browser without scripts |
| `fences.py` | a control database without its triggers, as whoever owns it can have it |
| `staged.py` | a small project of two tables whose raw batches are laid down: from transform on |
| `plug.py` | a command killed at a moment |
| `extract/small_projects.py` | a project whose tables have given columns, and its dump: the extract stage alone |
| `load/prepared.py` | targets with one load or two in them, and copies of these |
| `linkage/registers_for_tests.py` | FEBRL 3 and 4, and who is proposed for whom |
| `reconciliation/hand_made.py` | a migration laid down by hand, in balance, to be spoiled: reconcile alone |

Look here before writing another one. None of these is used by the code; each is used by several files.
"""
