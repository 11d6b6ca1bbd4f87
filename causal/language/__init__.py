"""The mechanism language: small, safe, always terminating. Text is parsed to a tree, never evaluated as Python."""

from .parser import parse_expression, parse_formula, parse_mechanism
from .reads import Read, reads
from .syntax import Expression

__all__ = ["Expression", "Read", "parse_expression", "parse_formula", "parse_mechanism", "reads"]
