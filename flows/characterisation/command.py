"""``cosynth characterise``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from flows.files import refuse_unwritable
from hwgen.files import write_bytes


def characterise(
    rows: Annotated[int, typer.Option(min=0, help="of the plan; with 0 the models are fitted on those there")] = 150,
    seed: Annotated[int, typer.Option(min=0, help="of the plan")] = 0,
    largest_array: Annotated[int, typer.Option(min=4, help="multipliers: larger arrays are left out")] = 256,
    route: Annotated[bool, typer.Option(help="place and route; else stop after synthesis, without a clock")] = True,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=1, help="implemented side by side: a core each, two to place")
    ] = 1,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="ROWS.jsonl", help="where rows are found and added")
    ] = Path("runs/characterisation.jsonl"),
    page: Annotated[Path | None, typer.Option(metavar="PAGE.md", help="write the report there, too")] = None,
) -> None:
    """Implement many accelerators for the ECP5 and fit models of resources and clock; goes on where it was stopped."""
    from flows.characterisation.job import add_rows
    from flows.characterisation.report import characterisation_page
    from flows.characterisation.rows import read_rows

    refuse_unwritable("page", page)
    add_rows(output, seed, rows, largest_array, route, jobs, Console(stderr=True))
    text = characterisation_page(list(read_rows(output).values()))
    if page is not None:
        write_bytes(page, text.encode())
    typer.echo(text)
