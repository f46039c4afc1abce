"""The errors that a user can mend; the command line turns each into one sentence and an exit code."""

from __future__ import annotations


class UserError(ValueError):
    """Input that cannot be accepted: the message names what was given and what would be accepted (exit code 2)."""


class MismatchError(RuntimeError):
    """The simulated accelerator and the reference disagree (exit code 1)."""
