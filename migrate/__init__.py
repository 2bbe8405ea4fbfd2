"""How people drive a migration: the pipeline, the command line and the pages."""
