"""Patients of a run in the formats of others."""
