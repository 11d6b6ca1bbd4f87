"""The words of notes as data: a folder of YAML files for each locale, and the keys that they have."""
