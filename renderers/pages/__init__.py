"""The report of a run: one HTML page, its sections and figures."""
