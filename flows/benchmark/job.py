"""The benchmarks of docs/benchmarks.md, measured anew by ``make bench``."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from flows.benchmark.document import benchmark_document
from flows.benchmark.peers import (
    ETHOS_U55_CYCLES,
    IMAGENET_UTILISATION,
    RECORDED_SCALE_SIM,
    SCALE_SIM_RESNET8_CYCLES,
    PeerCycles,
    ethos_u55,
    scale_sim,
)
from flows.benchmark.tuning import tuned_array
from flows.files import write_json
from flows.simulate.job import random_inputs, simulate_network, simulation_values
from hwgen.compiler import compile_graph
from hwgen.config import PRESETS, AcceleratorConfig
from hwgen.cycles import predict
from hwgen.files import write_bytes
from hwgen.graph import LayerGraph
from hwgen.importers.tflite import read_tflite
from hwgen.networks.imagenet import NETWORKS, imagenet_network
from sim.compiler import compiler
from sim.simulate import simulate, simulator
from sim.system import accelerator_verilog
from sim.verilator import build

ETHOS_OF = {"max64": (64,), "max256": (128, 256)}
"""The Ethos-U55 that a preset is compared with, by MACs per cycle."""
SCALE_SIM_NETWORK = "pretrainedResnet_quant"
SPEED_NETWORK = "mobilenet_v2"
"""Large enough that the simulator's start does not count in its speed."""
DOCUMENT, DATA = Path("docs/benchmarks.md"), Path("docs/benchmarks.json")


def machine() -> dict[str, str]:
    """What the benchmarks ran on."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit or "unknown",
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "load average at the start": f"{os.getloadavg()[0]:.1f}",
        "system": platform.platform(),
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "amaranth": version("amaranth"),
        "verilator": version("verilator"),
        "C++ compiler": compiler().name,
    }


def tiny_networks(models: Path) -> list[dict[str, Any]]:
    """The MLPerf Tiny networks on both large presets, beside Ethos-U55."""
    rows = []
    for preset, peers in ETHOS_OF.items():
        for name in ETHOS_U55_CYCLES:
            path = models / f"{name}.tflite"
            _say(f"{name} on {preset}")
            found = {f"Ethos-U55-{macs}": asdict(ethos_u55(path, macs)) for macs in peers}
            rows.append({"peers": found, **_measured(read_tflite(path), name, preset, PRESETS[preset])})
    return rows


def tuned_arrays(models: Path) -> list[dict[str, Any]]:
    """Each MLPerf Tiny network on the array that suits it best, of those with the multipliers of max256."""
    rows = []
    for name in ETHOS_U55_CYCLES:
        _say(f"{name} on the array tuned to it")
        graph = read_tflite(models / f"{name}.tflite")
        config = tuned_array(graph, PRESETS["max256"])
        shape = {"rows": config.rows, "cols": config.cols, "dataflow": config.dataflow, "rf_depth": config.rf_depth}
        rows.append({**shape, **_measured(graph, name, "max256, tuned", config)})
    return rows


def systolic_arrays(models: Path) -> dict[str, dict[str, Any]]:
    """SCALE-Sim's cycles for ResNet-8's convolutions at 16x16, by dataflow."""
    graph = read_tflite(models / f"{SCALE_SIM_NETWORK}.tflite")
    rows = {}
    for dataflow, recorded in SCALE_SIM_RESNET8_CYCLES.items():
        _say(f"SCALE-Sim, {dataflow}")
        rows[dataflow] = asdict(scale_sim(graph, 16, dataflow) or PeerCycles(recorded, RECORDED_SCALE_SIM))
    return rows


def imagenet_networks() -> list[dict[str, Any]]:
    """The ImageNet networks at max256, beside what peers publish."""
    rows = []
    for name in NETWORKS:
        _say(f"{name} on max256")
        measured = _measured(imagenet_network(name), name, "max256", PRESETS["max256"])
        rows.append({"peers_utilization": IMAGENET_UTILISATION[name], **measured})
    return rows


def simulators() -> list[dict[str, Any]]:
    """Build time and speed of each large preset's simulator; the first also compiles Verilator's library."""
    rows = []
    graph = imagenet_network(SPEED_NETWORK)
    with _empty_cache():
        for preset in ETHOS_OF:
            config = PRESETS[preset]
            _say(f"building {preset} anew")
            began = time.perf_counter()
            verilog = accelerator_verilog(config)
            emitted = time.perf_counter()
            build(simulator(verilog, config.bus_bits))
            built = time.perf_counter()
            _say(f"{SPEED_NETWORK} on {preset}")
            measurement = simulate(compile_graph(graph, config), random_inputs(graph, samples=1, seed=0))
            rows.append(
                {
                    "preset": preset,
                    "multipliers": config.multipliers,
                    "verilog_seconds": emitted - began,
                    "build_seconds": built - emitted,
                    "start_seconds": measurement.build_seconds,
                    "cycles_per_second": measurement.sim_cycles_per_second,
                }
            )
    return rows


def main() -> None:
    """Run everything and write the page and its data. Without ``COSYNTH_DATA`` there are no MLPerf Tiny networks."""
    data = os.environ.get("COSYNTH_DATA")
    if data is None:
        sys.exit("benchmark: COSYNTH_DATA names no directory; accepted: one with the MLPerf Tiny networks in models/")
    models = Path(data) / "models"
    values = {
        "machine": machine(),
        "tiny": tiny_networks(models),
        "tuned": tuned_arrays(models),
        "systolic": systolic_arrays(models),
        "imagenet": imagenet_networks(),
        "simulators": simulators(),
    }
    write_json(DATA, values)
    write_bytes(DOCUMENT, benchmark_document(values).encode())


def _measured(graph: LayerGraph, name: str, preset: str, config: AcceleratorConfig) -> dict[str, Any]:
    """A network on an accelerator: cycles measured in RTL and predicted, and how fast each was had."""
    simulation = simulate_network(graph, config, random_inputs(graph, samples=1, seed=0))
    values = simulation_values(simulation)
    program = compile_graph(graph, config)
    began = time.perf_counter()
    predict(program)
    errors = [abs(layer["predicted_cycles"] / max(1, layer["cycles"]) - 1) for layer in values["layers"]]
    copied = ("bit_exact", "cycles", "predicted_cycles", "macs", "utilization", "dram_read_bytes", "dram_write_bytes")
    return {
        "network": name,
        "preset": preset,
        **{key: values[key] for key in copied},
        "bus_utilization": simulation.execution.counters["dram_read_beats"] / values["cycles"],
        "largest_layer_error": max(errors),
        "prediction_seconds": time.perf_counter() - began,
        "sim_seconds": values["sim_seconds"],
        "sim_cycles_per_second": values["sim_cycles_per_second"],
    }


@contextmanager
def _empty_cache() -> Iterator[None]:
    before = os.environ.get("COSYNTH_CACHE")
    with tempfile.TemporaryDirectory(prefix="cosynth-benchmark-") as directory:
        os.environ["COSYNTH_CACHE"] = directory
        try:
            yield
        finally:
            if before is None:
                del os.environ["COSYNTH_CACHE"]
            else:
                os.environ["COSYNTH_CACHE"] = before


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
