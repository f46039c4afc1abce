"""Other accelerators' figures: recorded ones with their source, and Vela's and SCALE-Sim's where they are installed.

The interpreter that ``COSYNTH_PEERS`` names (else this one) is asked for the tools, because SCALE-Sim wants an older
NumPy: ``python -m venv peers && peers/bin/pip install ethos-u-vela scalesim 'numpy<2'``.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hwgen.graph import Conv, LayerGraph

ENVIRONMENT_VARIABLE = "COSYNTH_PEERS"
RECORDED_VELA = "recorded: ethos-u-vela 5.2.0, NPU cycles"
ETHOS_U55_CYCLES: dict[str, dict[int, int]] = {
    "pretrainedResnet_quant": {256: 107_389, 128: 185_542, 64: 357_367},
    "kws_ref_model": {256: 57_329, 128: 88_902, 64: 139_134},
    "vww_96_int8": {256: 128_825, 128: 205_022, 64: 358_266},
    "ad01_int8": {256: 41_404, 128: 41_404, 64: 41_565},
}
"""NPU cycles of Ethos-U55 by network and MACs per cycle, as Vela 5.2.0 estimates them."""
RECORDED_SCALE_SIM = "recorded: SCALE-Sim v3, ideal memory"
SCALE_SIM_RESNET8_CYCLES = {"os": 58_903, "ws": 62_943}
"""ResNet-8's convolutions on a 16x16 array, by dataflow."""
RUN = "array"
"""SCALE-Sim's name of a run."""
IMAGENET_UTILISATION: dict[str, dict[str, float]] = {
    "resnet18": {"VTA 16x16": 0.86, "DPU B4096": 0.71},
    "resnet50": {"VTA 16x16": 0.70, "DPU B4096": 0.62, "Gemmini 16x16": 0.51},
    "mobilenet_v1": {"DPU B4096": 0.395},
    "mobilenet_v2": {"DPU B4096": 0.165},
}
"""Share of peak MACs that the accelerators' own publications report."""


@dataclass(frozen=True)
class PeerCycles:
    """A peer's cycles for a network, and where they come from."""

    cycles: int
    source: str


def ethos_u55(model: Path, macs_per_cycle: int) -> PeerCycles:
    """Ethos-U55's NPU cycles for a TFLite model of ``ETHOS_U55_CYCLES``: Vela's now, or those recorded."""
    with tempfile.TemporaryDirectory(prefix="cosynth-vela-") as directory:
        accelerator = f"--accelerator-config=ethos-u55-{macs_per_cycle}"
        module = ("-m", "ethosu.vela")
        if not _run([*module, str(model.resolve()), accelerator, f"--output-dir={directory}"], directory):
            return PeerCycles(ETHOS_U55_CYCLES[model.stem][macs_per_cycle], RECORDED_VELA)
        summary = next(Path(directory).glob("*_summary_*.csv"))
        with summary.open(newline="") as file:
            row = next(csv.DictReader(file))
    return PeerCycles(round(float(row["cycles_npu"])), f"run: ethos-u-vela {_version('ethos-u-vela')}, NPU cycles")


def scale_sim(graph: LayerGraph, size: int, dataflow: str) -> PeerCycles | None:
    """SCALE-Sim's cycles for a network's convolutions on ``size`` x ``size``; None where it is not installed."""
    with tempfile.TemporaryDirectory(prefix="cosynth-scalesim-") as name:
        directory = Path(name)
        (directory / "topology.csv").write_text(_topology(graph), encoding="utf-8")
        (directory / "array.cfg").write_text(_array(size, dataflow), encoding="utf-8")
        (directory / "layout.csv").write_text(_layout(graph), encoding="utf-8")
        files = ["-t", "topology.csv", "-c", "array.cfg", "-l", "layout.csv", "-s", "N", "-p", "out"]
        if not _run(["-m", "scalesim.scale", *files], name):
            return None
        report = directory / "out" / RUN / "COMPUTE_REPORT.csv"
        with report.open(newline="") as file:
            rows = [{key.strip(): value for key, value in row.items() if key} for row in csv.DictReader(file)]
    cycles = sum(round(float(row["Total Cycles"])) for row in rows)
    return PeerCycles(cycles, f"run: SCALE-Sim {_version('scalesim')}, ideal memory")


def _topology(graph: LayerGraph) -> str:
    """The convolutions as SCALE-Sim lists them; it knows no padding, so inputs are padded."""
    heading = "Layer,IFMAP Height,IFMAP Width,Filter Height,Filter Width,Channels,Num Filter,Strides,"
    lines = [heading]
    for layer in graph.layers():
        if isinstance(layer, Conv):
            height, width, channels = graph.operands(layer)[0].output.shape
            top, bottom, left, right = layer.window.padding
            kernel, stride = layer.window.kernel, layer.window.stride[0]
            size = (height + top + bottom, width + left + right, *kernel, channels, layer.output.shape[2], stride)
            lines.append(",".join([layer.name, *map(str, size), ""]))
    return "\n".join([*lines, ""])


def _layout(graph: LayerGraph) -> str:
    """A layout of the buffers for each layer: SCALE-Sim wants one even where it does not use it."""
    names = [layer.name for layer in graph.layers() if isinstance(layer, Conv)]
    return "\n".join(["Layer,", *(f"{name},{'1,' * 20}" for name in names), ""])


def _array(size: int, dataflow: str) -> str:
    return f"""\
[general]
run_name = {RUN}
[architecture_presets]
ArrayHeight: {size}
ArrayWidth: {size}
IfmapSramSzkB: 256
FilterSramSzkB: 256
OfmapSramSzkB: 256
IfmapOffset: 0
FilterOffset: 10000000
OfmapOffset: 20000000
ReadRequestBuffer: 64
WriteRequestBuffer: 64
Dataflow: {dataflow}
[run_presets]
InterfaceBandwidth: CALC
UseRamulatorTrace: False
[layout]
IfmapCustomLayout: False
IfmapSRAMBankBandwidth: 16
IfmapSRAMBankNum: 16
IfmapSRAMBankPort: 2
FilterCustomLayout: False
FilterSRAMBankBandwidth: 16
FilterSRAMBankNum: 16
FilterSRAMBankPort: 2
[sparsity]
SparsitySupport: false
"""


def _run(arguments: list[str], directory: str) -> bool:
    """Whether the peers' interpreter ran ``arguments`` well."""
    command = [os.environ.get(ENVIRONMENT_VARIABLE, sys.executable), *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True).returncode == 0


def _version(distribution: str) -> str:
    command = [os.environ.get(ENVIRONMENT_VARIABLE, sys.executable), "-c"]
    code = f"from importlib.metadata import version; print(version({distribution!r}))"
    return subprocess.run([*command, code], capture_output=True, text=True, check=True).stdout.strip()
