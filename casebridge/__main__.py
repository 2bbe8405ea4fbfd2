"""`python -m casebridge` is `casebridge`."""

from casebridge.migrate.cli.main import main

main()
