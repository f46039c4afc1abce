"""Options and arguments that several commands share, and where their results go."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

FILE_WIDTH = 132
"""Characters per line of a table that goes to a file or a pipe."""

Network = Annotated[
    str,
    typer.Argument(
        metavar="NETWORK", help="a .tflite file, a LayerGraph saved as .npz, imagenet:name, or space:architecture"
    ),
]
Accelerator = Annotated[str, typer.Option(metavar="ACC", help="a preset (default, max64, max256) or a TOML file")]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="override one field of the accelerator")
]
SizedFor = Annotated[str, typer.Option("--dataset", help="the data set that space:architecture is sized for")]
InputFile = Annotated[
    Path | None, typer.Option("--input", metavar="X.npy", help="int8 N x H x W x C; random where not given")
]
OutputFile = Annotated[Path | None, typer.Option("--output", metavar="Y.npy", help="where to write the outputs, int8")]
Samples = Annotated[int | None, typer.Option(min=1, help="inputs to run: all of X.npy, or 1 random one")]
InputSeed = Annotated[int, typer.Option(min=0, help="of the random inputs")]
AsJson = Annotated[bool, typer.Option("--json", help="one JSON object instead of a table")]


def result_console() -> Console:
    """Standard output, for tables."""
    return Console(width=None if sys.stdout.isatty() else FILE_WIDTH)
