"""Artifacts back to values: measured, put together, held against the record, and examined for effects."""
