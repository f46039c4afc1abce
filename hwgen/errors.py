"""The errors that a network file can raise; each message is one sentence for the user."""

from __future__ import annotations


class ModelFileError(ValueError):
    """A file that is not a readable int8 network."""


class UnsupportedOperatorError(ValueError):
    """A network with an operator that the accelerator cannot run."""
