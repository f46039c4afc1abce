"""Progress on standard error."""

from __future__ import annotations

import time
from typing import Any

from rich.console import Console
from rich.progress import Progress, TaskID

SECONDS_PER_LINE = 30.0


class ProgressLines(Progress):
    """What a bar would show, as a line now and then: for a log file."""

    def __init__(self, console: Console) -> None:
        super().__init__(console=console, disable=True)
        self._due = time.monotonic() + SECONDS_PER_LINE

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        super().advance(task_id, advance)
        self._say(task_id)

    def update(self, task_id: TaskID, **changes: Any) -> None:
        super().update(task_id, **changes)
        self._say(task_id)

    def _say(self, task_id: TaskID) -> None:
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + SECONDS_PER_LINE
        task = self._tasks[task_id]
        self.console.print(f"{task.description}: {task.completed:.0f} of {task.total or 0:.0f}", highlight=False)


def progress_bar() -> Progress:
    """A progress bar on standard error, gone when it ends; lines where standard error is no terminal."""
    console = Console(stderr=True)
    return Progress(console=console, transient=True) if console.is_terminal else ProgressLines(console)
