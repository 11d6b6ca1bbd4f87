"""Drafts of models from the causal axioms of ontologies: skeletons for an author to fill in."""

from .document import Draft, draft_model

__all__ = ["Draft", "draft_model"]
