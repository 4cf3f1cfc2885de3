"""The shared core of Hearthline: vocabulary, storage, settings and the command line."""

__version__ = "0.1.0"
