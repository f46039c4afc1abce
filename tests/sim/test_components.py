"""Single components of the RTL against the golden models that lie beside them, with random stimulus."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from amaranth.lib.wiring import Component

from hwgen.board.block_memory import BLOCK_MEMORY, BlockMemory
from hwgen.config import AcceleratorConfig, Dataflow
from hwgen.rtl.act_buffer import ActBuffer
from hwgen.rtl.add_sequencer import AddSequencer
from hwgen.rtl.burst_splitter import BurstSplitter
from hwgen.rtl.compute_engine import ARRAYS, ComputeEngine
from hwgen.rtl.control_registers import ControlRegisters
from hwgen.rtl.counters import Counters
from hwgen.rtl.drain import Drain
from hwgen.rtl.eltwise_adder import EltwiseAdder
from hwgen.rtl.instruction_gate import InstructionGate
from hwgen.rtl.load_engine import LoadEngine
from hwgen.rtl.mac_sequencer import MacSequencer
from hwgen.rtl.operand_stage import OperandStage
from hwgen.rtl.prescale import PrescaleLane
from hwgen.rtl.read_port import ReadPort
from hwgen.rtl.requantise import RequantiseLane
from hwgen.rtl.row_beats import RowBeats
from hwgen.rtl.row_requests import RowRequests
from hwgen.rtl.sequencer import Sequencer
from hwgen.rtl.store_engine import StoreEngine
from hwgen.rtl.write_port import WritePort
from hwgen.verilog import component_verilog
from sim.benches.runner import bench_design, run_bench
from sim.system import ACCELERATOR_FILE, HDL
from sim.verilator import Design
from tests.sim.accelerators import ACCELERATORS

CONFIGS = pytest.mark.parametrize(
    "config",
    [ACCELERATORS["narrow"], pytest.param(ACCELERATORS["uneven"], marks=pytest.mark.slow)],
    ids=["narrow", "uneven"],
)
"""Components that a configuration makes: one accelerator in the fast tests, a second in the slow ones."""


def component_bench(component: Component) -> Design:
    """A component alone under cocotb; ports keep Amaranth's names (``stream__payload``)."""
    waivers = (HDL / "waivers.vlt").read_text(encoding="utf-8")
    text = component_verilog(component, "component")
    return bench_design("component", {"waivers.vlt": waivers, ACCELERATOR_FILE: text})


def config_plusargs(config: AcceleratorConfig) -> list[str]:
    return [f"+{name}={value}" for name, value in asdict(config).items()]


def test_requantise_lane() -> None:
    run_bench(component_bench(RequantiseLane()), "sim.benches.components.requantise")


def test_prescale_lane() -> None:
    run_bench(component_bench(PrescaleLane()), "sim.benches.components.prescale")


@pytest.mark.parametrize("bus_bits", [32, 256])
def test_burst_splitter(bus_bits: int) -> None:
    plusargs = [f"+bus_bytes={bus_bits // 8}"]
    run_bench(component_bench(BurstSplitter(bus_bits)), "sim.benches.components.burst_splitter", plusargs)


@pytest.mark.parametrize("bus_bits", [128, pytest.param(32, marks=pytest.mark.slow)])
def test_row_requests(bus_bits: int) -> None:
    component = RowRequests(bus_bits // 8)
    run_bench(component_bench(component), "sim.benches.components.row_requests", [f"+bus_bytes={bus_bits // 8}"])


@pytest.mark.parametrize("bus_bits", [128, pytest.param(32, marks=pytest.mark.slow)])
def test_row_beats(bus_bits: int) -> None:
    component = RowBeats(bus_bits // 8)
    run_bench(component_bench(component), "sim.benches.components.row_beats", [f"+bus_bytes={bus_bits // 8}"])


@CONFIGS
def test_act_buffer(config: AcceleratorConfig) -> None:
    run_bench(component_bench(ActBuffer(config)), "sim.benches.components.act_buffer", config_plusargs(config))


@CONFIGS
def test_load_engine(config: AcceleratorConfig) -> None:
    run_bench(component_bench(LoadEngine(config)), "sim.benches.components.load_engine", config_plusargs(config))


@CONFIGS
def test_store_engine(config: AcceleratorConfig) -> None:
    run_bench(component_bench(StoreEngine(config)), "sim.benches.components.store_engine", config_plusargs(config))


def test_read_port() -> None:
    run_bench(component_bench(ReadPort(2, bus_bits=64)), "sim.benches.components.read_port")


@pytest.mark.parametrize("bus_bits", [32, pytest.param(256, marks=pytest.mark.slow)])
def test_write_port(bus_bits: int) -> None:
    run_bench(component_bench(WritePort(bus_bits)), "sim.benches.components.write_port", [f"+bus_bits={bus_bits}"])


@pytest.mark.parametrize("dataflow", Dataflow)
@pytest.mark.parametrize(
    ("rows", "cols", "rf_depth"),
    [(3, 5, 4), *(pytest.param(*shape, marks=pytest.mark.slow) for shape in [(2, 32, 1), (32, 2, 64), (7, 3, 3)])],
)
def test_array(dataflow: Dataflow, rows: int, cols: int, rf_depth: int) -> None:
    config = AcceleratorConfig(rows=rows, cols=cols, rf_depth=rf_depth, dataflow=dataflow, requant_lanes=1)
    run_bench(component_bench(ARRAYS[dataflow](config)), "sim.benches.components.array", config_plusargs(config))


@CONFIGS
def test_eltwise_adder(config: AcceleratorConfig) -> None:
    run_bench(component_bench(EltwiseAdder(config)), "sim.benches.components.eltwise_adder", config_plusargs(config))


@CONFIGS
def test_control_registers(config: AcceleratorConfig) -> None:
    component = ControlRegisters(config)
    run_bench(component_bench(component), "sim.benches.components.control_registers", config_plusargs(config))


@CONFIGS
def test_counters(config: AcceleratorConfig) -> None:
    run_bench(component_bench(Counters(config)), "sim.benches.components.counters", config_plusargs(config))


@pytest.mark.parametrize("bus_bits", [256, pytest.param(32, marks=pytest.mark.slow)])
def test_sequencer(bus_bits: int) -> None:
    run_bench(component_bench(Sequencer(bus_bits)), "sim.benches.components.sequencer", [f"+bus_bits={bus_bits}"])


@CONFIGS
def test_drain(config: AcceleratorConfig) -> None:
    run_bench(component_bench(Drain(config)), "sim.benches.components.drain", config_plusargs(config))


@pytest.mark.parametrize(
    "config",
    [ACCELERATORS["tall"], pytest.param(ACCELERATORS["narrow"], marks=pytest.mark.slow)],
    ids=["tall", "narrow"],
)
def test_mac_sequencer(config: AcceleratorConfig) -> None:
    run_bench(component_bench(MacSequencer(config)), "sim.benches.components.mac_sequencer", config_plusargs(config))


@CONFIGS
def test_add_sequencer(config: AcceleratorConfig) -> None:
    run_bench(component_bench(AddSequencer(config)), "sim.benches.components.add_sequencer", config_plusargs(config))


@pytest.mark.slow
@CONFIGS
def test_operand_stage(config: AcceleratorConfig) -> None:
    run_bench(component_bench(OperandStage(config)), "sim.benches.components.operand_stage", config_plusargs(config))


def test_instruction_gate() -> None:
    run_bench(component_bench(InstructionGate()), "sim.benches.components.instruction_gate")


@pytest.mark.slow
@pytest.mark.parametrize("config", ACCELERATORS.values(), ids=ACCELERATORS)
def test_compute_engine(config: AcceleratorConfig) -> None:
    run_bench(component_bench(ComputeEngine(config)), "sim.benches.components.compute_engine", config_plusargs(config))


@pytest.mark.parametrize("bus_bits", [128, pytest.param(32, marks=pytest.mark.slow)])
def test_block_memory(bus_bits: int) -> None:
    plusargs = [f"+latency={BLOCK_MEMORY.latency_cycles}", f"+interval={BLOCK_MEMORY.cycles_per_beat}"]
    component = BlockMemory(size_bytes=1 << 15, bus_bits=bus_bits)
    run_bench(component_bench(component), "sim.benches.components.block_memory", plusargs)
