"""The `cosynth` command."""

from __future__ import annotations

import typer

app = typer.Typer(name="cosynth", no_args_is_help=True, add_completion=False)


@app.callback()
def _root() -> None:
    """Search a network and its FPGA accelerator together, and generate both."""


def main() -> None:
    """Entry point of the console script."""
    app()
