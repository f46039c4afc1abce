"""What a tool says, shown while it runs."""

from __future__ import annotations

from rich.status import Status

from flows.tools import Watch

WIDTH = 100


def shown_on(status: Status) -> Watch:
    """Makes each line that a tool says the ``status``."""

    def watch(step: str) -> None:
        status.update(step[:WIDTH].replace("[", "\\["))

    return watch
