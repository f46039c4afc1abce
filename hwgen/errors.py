"""The errors that a user can mend; each message is one sentence that says what would be accepted."""

from __future__ import annotations


class InputError(ValueError):
    """Input that cannot be accepted. Every package derives its own from it; the command line exits with 2."""


class ModelFileError(InputError):
    """A file that is not a readable int8 network."""


class UnsupportedOperatorError(InputError):
    """A network with an operator that the accelerator cannot run."""
