"""Random instructions and steps for the compute engine's components; fields reach the ends of their ranges."""

from __future__ import annotations

import numpy as np

from hwgen.config import ROW_BANKS, AcceleratorConfig, Dataflow
from hwgen.isa import ACT_ADDRESS_BITS, Opcode, largest


def random_mac(rng: np.random.Generator, config: AcceleratorConfig, **fixed: int) -> dict[str, int]:
    """A MAC instruction of few steps and any strides, whose chunks fit the register file."""
    slide, step_rows = int(rng.integers(2)), int(rng.integers(1, ROW_BANKS + 1))
    columns = int(rng.integers(1, 6))
    chunk_steps = columns if slide else 1 if config.dataflow is Dataflow.OS else int(rng.integers(config.rf_depth)) + 1
    return {
        "in_address": int(rng.integers(0, 2**ACT_ADDRESS_BITS)),
        "in_pitch": int(rng.integers(0, 5000)),
        "in_rows": int(rng.integers(0, 16)),
        "in_row_bytes": int(rng.integers(0, 2**18)),
        "first_row": int(rng.choice([-4096, -3, -1, 0, 0, 0, 2, 4095])),
        "first_offset": int(rng.choice([-(2**18), -40, 0, 0, 17, 2**18 - 1])),
        "row_stride": int(rng.integers(1, 4)),
        "x_step": int(rng.integers(0, 2**16)),
        "out_width": int(rng.integers(1, 6)),
        "out_height": int(rng.integers(1, 4)),
        "kernel_steps": int(rng.integers(1, 4)),
        "step_rows": step_rows,
        "last_rows": int(rng.integers(1, step_rows + 1)),
        "segment_steps": int(rng.integers(1, 4)),
        "segment_stride": int(rng.integers(0, 2**18)),
        "slide": slide,
        "columns": columns,
        "next_column": int(rng.integers(0, columns)) if slide or config.dataflow is Dataflow.RS else 0,
        "column_stride": int(rng.integers(0, 2**14)),
        "chunk_steps": chunk_steps,
        "groups": int(rng.integers(1, 4)),
        "group_stride": int(rng.integers(0, 2**14)),
        "weight_address": int(rng.integers(0, 2**18 - 200)),
        "weights_constant": int(rng.integers(2)),
        "weights_shared": int(rng.integers(2)),
        "pad_value": int(rng.integers(-128, 128)),
        "input_low": int(rng.integers(-128, 128)),
        "input_high": int(rng.integers(-128, 128)),
        "take_maximum": int(rng.integers(2)),
        "accumulate": 0,
        "hold": 0,
        "lanes": int(rng.integers(0, largest(Opcode.MAC, "lanes") + 1)),
        "last_lanes": int(rng.integers(0, largest(Opcode.MAC, "last_lanes") + 1)),
        "group_channels": int(rng.integers(1, config.cols + 1)),
        "last_channels": int(rng.integers(1, config.cols + 1)),
        **fixed,
    }


def random_macs(rng: np.random.Generator, instructions: int, config: AcceleratorConfig) -> list[dict[str, int]]:
    """Instructions, some of them runs that pass partial sums of one block from one to the next."""
    program: list[dict[str, int]] = []
    while len(program) < instructions:
        if rng.random() < 0.5:
            program.append(random_mac(rng, config))
            continue
        block = {
            "groups": 1,
            "out_height": 1,
            "out_width": int(rng.integers(1, min(config.block_pixels, 5) + 1)),
            "take_maximum": int(rng.integers(2)),
        }
        slices = int(rng.integers(2, 5))
        for index in range(slices):
            program.append(random_mac(rng, config, **block, accumulate=int(index > 0), hold=int(index < slices - 1)))
    return program


def selecting_weights(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Weights [..., rows] of which one in a column is 1: dot products are operands, as where their maximum is kept."""
    weights: np.ndarray = (np.arange(shape[-1]) == rng.integers(shape[-1], size=(*shape[:-1], 1))).astype(np.int8)
    return weights


def random_add(rng: np.random.Generator) -> dict[str, int]:
    """An ADD instruction of few elements, anywhere in the buffer."""
    address = 2**ACT_ADDRESS_BITS
    return {
        "left_address": int(rng.integers(0, address)),
        "right_address": int(rng.integers(0, address)),
        "pitch": int(rng.choice([0, rng.integers(0, 5000), address - 1])),
        "rows": int(rng.integers(1, 12)),
        "row_elements": int(rng.integers(1, 40)),
    }


def random_operands(rng: np.random.Generator, rows: int) -> dict[str, int]:
    """A step whose vector often straddles an end of its row; offsets and rows reach the fields' ends."""
    row_bytes = int(rng.choice([0, 1, rows - 1, rows, rows + 1, 1000, 2**18 - 1]))
    near = int(rng.integers(-rows - 2, rows + 3))
    offset = int(rng.choice([near, row_bytes + near, row_bytes // 2, -(2**18), 2**19 - 1]))
    low, high = sorted(int(value) for value in rng.integers(-128, 128, 2))
    clamp = (low, high) if rng.random() < 0.5 else (-128, 127)
    return {
        "offset": offset,
        "row_bytes": row_bytes,
        "rows_valid": int(rng.choice([0, 2**ROW_BANKS - 1, rng.integers(2**ROW_BANKS)])),
        "pad_value": int(rng.integers(-128, 128)),
        "input_low": clamp[0],
        "input_high": clamp[1],
    }
