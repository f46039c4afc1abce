"""Actions: what a program's instructions read, write and compute, as the RTL's counters of the same names count it.

It follows from the instructions alone, not from when they run, so it is known without the RTL; ``hwgen.energy`` makes
energy of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import ceil
from typing import TypeVar

import numpy as np

from hwgen.config import AcceleratorConfig, Dataflow
from hwgen.cycles.instructions import Instruction, decode
from hwgen.cycles.load_engine import requests
from hwgen.isa import INSTRUCTION_BYTES, INSTRUCTIONS_PER_FETCH, Opcode
from hwgen.program import Engine, Program

ACTIONS = (
    "macs",
    "act_reads",
    "act_writes",
    "weight_reads",
    "weight_file_accesses",
    "input_file_accesses",
    "psum_updates",
    "requantised",
    "dram_read_beats",
    "dram_write_beats",
)
"""Counters of ``hwgen.registers`` that do not depend on time."""
Number = TypeVar("Number", int, np.ndarray)
OPERANDS = 2
"""Of an addition."""


def action_counts(program: Program) -> dict[str, int]:
    """How often each of ``ACTIONS`` happens in one inference."""
    layers = sum(layer_actions(program), Counter[str]())
    counts = {name: layers[name] for name in ACTIONS}
    counts["dram_read_beats"] += fetch_beats(layers["instructions"], program.config.bus_bytes)
    return counts


def layer_actions(program: Program) -> list[Counter[str]]:
    """Each layer's actions and ``instructions``, whose fetching is not among them: ``fetch_beats`` has it."""
    layers = iter(program.layers)
    layer, counts = next(layers), [Counter[str]()]
    issued = dict.fromkeys(Engine, 0)
    *instructions, _ = decode(program.image)
    for instruction in instructions:
        if issued[layer.engine] == layer.retired:
            layer = next(layers)
            counts.append(Counter())
        counts[-1].update(instruction_actions(instruction, program.config), instructions=1)
        issued[instruction.engine] += 1
    return counts


def fetch_beats(instructions: Number, bus_bytes: Number) -> Number:
    """Beats that fetching a program takes, of ``instructions`` before its END.

    The sequencer has a group on its way while it takes the one before; while it waits at END it asks for the next as
    well if END is its group's last.
    """
    group, place = divmod(instructions, INSTRUCTIONS_PER_FETCH)
    groups = group + 2 + (place == INSTRUCTIONS_PER_FETCH - 1)
    return groups * INSTRUCTIONS_PER_FETCH * INSTRUCTION_BYTES // bus_bytes


def instruction_actions(instruction: Instruction, config: AcceleratorConfig) -> dict[str, int]:
    """The actions of one instruction; those that are not named do not happen."""
    match instruction.opcode:
        case Opcode.MAC:
            return mac_actions(instruction.fields, config)
        case Opcode.ADD:
            return add_actions(instruction.fields, config)
    beats = sum(beats for _, beats in requests(instruction, config.bus_bytes))
    return {"dram_write_beats" if instruction.opcode is Opcode.STORE else "dram_read_beats": beats}


def mac_actions(fields: Mapping[str, int], config: AcceleratorConfig) -> dict[str, int]:
    """The actions of a MAC instruction, whose loops ``hwgen.rtl.mac_sequencer`` has."""
    groups, slide = fields["groups"], fields["slide"]
    pixels = fields["out_height"] * fields["out_width"]
    run, runs = (fields["out_width"], fields["out_height"]) if slide else (pixels, 1)
    windows = fields["kernel_steps"] * fields["segment_steps"]
    steps = windows if slide else windows * fields["columns"]
    chunks = windows if slide else ceil(steps / fields["chunk_steps"])
    rows = (fields["kernel_steps"] - 1) * fields["step_rows"] + fields["last_rows"]
    lanes = (fields["segment_steps"] - 1) * fields["lanes"] + fields["last_lanes"]
    columns = 1 if slide else fields["columns"]
    group_channels = [fields["group_channels"]] * (groups - 1) + [fields["last_channels"]]
    drained = 0 if fields["hold"] else pixels
    in_files = groups * pixels * steps
    return {
        "macs": pixels * rows * lanes * columns * sum(group_channels),
        "act_reads": groups * _fetched_vectors(fields, config),
        "act_writes": drained * sum(ceil(channels / config.requant_lanes) for channels in group_channels),
        "weight_reads": groups * runs * ceil(run / config.block_pixels) * steps,
        "weight_file_accesses": 0 if config.dataflow is Dataflow.OS else in_files,
        "input_file_accesses": in_files if config.dataflow is Dataflow.RS and not slide else 0,
        "psum_updates": groups * pixels * chunks,
        "requantised": drained * sum(group_channels),
    }


def _fetched_vectors(fields: Mapping[str, int], config: AcceleratorConfig) -> int:
    """Vectors that a group of a MAC instruction reads: of the rows that are stored, in the steps that fetch."""
    width, kernel_steps, step_rows = fields["out_width"], fields["kernel_steps"], fields["step_rows"]
    y, kernel_step = np.ogrid[: fields["out_height"], :kernel_steps]
    row = fields["first_row"] + y * fields["row_stride"] + kernel_step * step_rows
    stored = np.clip(np.minimum(row + step_rows, fields["in_rows"]) - np.maximum(row, 0), 0, None)

    # A pixel has nothing of the one before where it is the first of its row or block.
    first = y * (0 if fields["slide"] else width)
    alone = 1 + (first + width - 1) // config.block_pixels - first // config.block_pixels
    number = np.arange(kernel_steps * fields["segment_steps"] * fields["columns"]).reshape(kernel_steps, -1)
    new_columns = fields["columns"] - fields["next_column"]
    shared = (number % fields["columns"] < fields["next_column"]) & (
        number % fields["chunk_steps"] + new_columns < fields["chunk_steps"]
    )
    steps = width * number.shape[1] - (width - alone) * shared.sum(axis=1)
    return int((stored * steps).sum())


def add_actions(fields: Mapping[str, int], config: AcceleratorConfig) -> dict[str, int]:
    """The actions of an ADD instruction."""
    vectors = fields["rows"] * ceil(fields["row_elements"] / config.eltwise_lanes)
    return {
        "act_reads": OPERANDS * vectors,
        "act_writes": vectors,
        "requantised": fields["rows"] * fields["row_elements"],
    }
