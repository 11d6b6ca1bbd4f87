"""The packages to install. The root of the repository is the package, which pyproject.toml cannot express."""

from setuptools import find_namespace_packages, setup
from setuptools.command.build_py import build_py

ROOMS = find_namespace_packages(include=["ontology*", "causal*", "simulate*", "renderers*", "commands*"])


class BuildWithoutSetup(build_py):
    def find_package_modules(self, package: str, package_dir: str) -> list[tuple[str, str, str]]:
        return [found for found in super().find_package_modules(package, package_dir) if found[1] != "setup"]


setup(
    packages=["nosograph", *(f"nosograph.{room}" for room in ROOMS)],
    cmdclass={"build_py": BuildWithoutSetup},
)
