"""Where errors meet the user: one sentence on standard error, and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable

from typer import Abort
from typer.exceptions import TyperException

from flows.board.link import BoardLinkError
from flows.simulate.run import MismatchError
from flows.tools import ImplementationError
from hwgen.errors import InputError
from sim.compiler import SimulatorMissingError
from sim.system import SimulationError
from sim.verilator import VerilatorError

FAILURES = (
    BoardLinkError,
    ImplementationError,
    MismatchError,
    SimulationError,
    SimulatorMissingError,
    VerilatorError,
    OSError,
)
"""A check or a tool failed: the input was good, the result is not to be had."""


def exit_code(command: Callable[[], object]) -> int:
    """Run ``command`` and return the process's exit code: 0, 1 for a failure, 2 for bad input, 130 if interrupted."""
    try:
        command()
    except InputError as error:
        return _explain(error, 2)
    except TyperException as error:
        return _explain(error.format_message(), 2)
    except FAILURES as error:
        return _explain(error, 1)
    except (KeyboardInterrupt, Abort):
        return _explain("interrupted", 130)
    return 0


def _explain(message: object, code: int) -> int:
    print(f"cosynth: {message}", file=sys.stderr)
    return code
