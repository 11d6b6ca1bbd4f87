"""Runs on disk: tables in shards, workers, resumption, and the manifest that makes a run again."""
