"""Explainers: each looks at a snapshot and the cold dwellings left, and returns findings."""
