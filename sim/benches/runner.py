"""Start cocotb benches: Verilator builds with cocotb's VPI library, from the same cache as all others."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import cocotb_tools.config
from cocotb_tools.check_results import get_results
from cocotb_tools.runner import get_runner

from sim.verilator import Design, build

# State without a reset value starts at random, so that a design which relies on zeros is found out.
RANDOM_STATE = ("--x-assign", "unique", "--x-initial", "unique")
LOG_LINES = 60


class BenchError(AssertionError):
    """A bench failed; the message is the end of its log."""


def bench_design(top: str, sources: Mapping[str, str], parameters: Mapping[str, int] | None = None) -> Design:
    """``top`` with cocotb's main program; cocotb sees the signals of ``top`` itself, not those below it."""
    libraries = cocotb_tools.config.libs_dir
    main = cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"
    visible = f'`verilator_config\npublic_flat_rw -module "{top}" -var "*"\n'
    return Design(
        top=top,
        sources={"visible.vlt": visible, **sources, main.name: main.read_text(encoding="utf-8")},
        parameters=parameters or {},
        options=("--vpi", "--timescale", "1ns/1ps", *RANDOM_STATE),
        optimisation="-O0",  # benches are short and Python takes most of their time
        link_options=(f"-Wl,-rpath,{libraries}", f"-L{libraries}", "-lcocotbvpi_verilator"),
    )


def run_bench(design: Design, module: str, plusargs: Sequence[str] = (), seed: int = 1) -> None:
    """Run a module's cocotb tests on a design, with ``seed`` (at least 1) for all that is random.

    Raises BenchError when a test fails, or when none runs.
    """
    executable = build(design)
    with tempfile.TemporaryDirectory(prefix="cosynth-bench-") as directory:
        log, results = Path(directory) / "log", Path(directory) / "results.xml"
        try:
            get_runner("verilator").test(
                test_module=module,
                hdl_toplevel=design.top,
                hdl_toplevel_lang="verilog",
                build_dir=executable.parent,
                test_dir=directory,
                results_xml=str(results),
                log_file=log,
                seed=seed,
                plusargs=[*plusargs, "+verilator+rand+reset+2", f"+verilator+seed+{seed}"],
            )
            tests, failures = get_results(results)
        except (SystemExit, RuntimeError):
            tests, failures = 0, 1
        if failures or not tests:
            raise BenchError("\n".join(log.read_text(encoding="utf-8").splitlines()[-LOG_LINES:]))
