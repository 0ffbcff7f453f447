"""Build time only: fetch, check and convert the published model. Never imported at run time."""
