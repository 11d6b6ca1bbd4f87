"""Nosograph: a disease, written as a cited causal graph, becomes patients."""
