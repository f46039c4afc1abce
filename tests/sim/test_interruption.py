"""A simulation never outlives whoever asked for it, and leaves no files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sim.simulate import simulator
from sim.verilator import build
from tests.sim.stubs import stub_verilog

RUN_FOR_LONG = """
import signal, sys
from pathlib import Path
import numpy as np
from sim.simulate import run
from hwgen.memory_model import DEFAULT_MEMORY
from tests.sim.stubs import copy_program
# A shell's background jobs, and what they start, ignore interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)
program = copy_program(bursts=400_000)
run(Path(sys.argv[1]), program, np.zeros((1, *program.input.shape), np.int8), DEFAULT_MEMORY)
"""


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_running(pid: int) -> bool:
    """Whether a process exists and is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(("sent", "leaves_files"), [(signal.SIGINT, False), (signal.SIGKILL, True)])
def test_the_simulator_ends_with_its_caller(sent: signal.Signals, leaves_files: bool, tmp_path: Path) -> None:
    executable = build(simulator(stub_verilog(64), 64))
    caller = subprocess.Popen(
        [sys.executable, "-c", RUN_FOR_LONG, str(executable)],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stderr=subprocess.DEVNULL,
    )
    while not (simulations := children(caller.pid)):
        assert caller.poll() is None
        time.sleep(0.01)
    assert is_running(simulations[0])
    caller.send_signal(sent)
    assert caller.wait() != 0
    deadline = time.monotonic() + 60
    while is_running(simulations[0]) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_running(simulations[0])
    assert bool(list(tmp_path.iterdir())) == leaves_files
