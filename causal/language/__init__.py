"""The mechanism language: small, safe and total. Text is parsed into a tree and never evaluated as Python."""

from .parser import parse_expression, parse_formula, parse_mechanism
from .reads import Read, reads
from .syntax import Expression

__all__ = ["Expression", "Read", "parse_expression", "parse_formula", "parse_mechanism", "reads"]
