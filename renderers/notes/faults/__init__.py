"""Faults in notes: planned, inserted on purpose, and detected."""
