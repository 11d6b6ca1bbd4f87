"""The disease models that come with the package, one document each."""
