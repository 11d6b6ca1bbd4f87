"""People from elsewhere: a table of a cohort, read strictly into the tables that a run has."""
