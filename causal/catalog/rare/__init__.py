"""Rare diseases from HPO's annotations: each becomes a document like any other."""

from .document import Conversion, convert_disease
from .hierarchy import Finding
from .mixture import convert_mixture
from .survey import Survey, survey

__all__ = ["Conversion", "Finding", "Survey", "convert_disease", "convert_mixture", "survey"]
