"""The packages to install. The root of the repository is the package, which pyproject.toml cannot express."""

from setuptools import find_namespace_packages, setup

ROOMS = find_namespace_packages(include=["ontology*", "causal*", "simulate*", "renderers*", "commands*"])
setup(packages=["nosograph", *(f"nosograph.{room}" for room in ROOMS)])
