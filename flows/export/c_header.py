"""The C header of a generated pair: register offsets, region sizes, quantisation and a bare-metal driver."""

from __future__ import annotations

from string import Template

from hwgen.config import AcceleratorConfig
from hwgen.graph import TensorType
from hwgen.program import Program
from hwgen.registers import COUNTER_BASE, COUNTERS, IDENTITY, REGISTERS

FILE_NAME = "cosynth.h"

_TEMPLATE = Template("""\
/* Driver for one generated pair: $network on a $rows x $cols array.
 *
 * 1. Place program.bin, the scratch region, the input and the output tensor in memory that the accelerator's AXI master
 *    reaches, without overlap: program.bin and scratch on multiples of 4096, the tensors on multiples of 64.
 * 2. Write the input as COSYNTH_INPUT_BYTES int8 values, height x width x channels (cosynth_quantise_input).
 * 3. On a processor with a data cache: clean the input, invalidate the output.
 * 4. cosynth_start(base, image, scratch, input, output), then cosynth_wait(base): 0 is success.
 * 5. Read COSYNTH_OUTPUT_BYTES int8 values (cosynth_dequantise_output)$host.
 */
#ifndef COSYNTH_H
#define COSYNTH_H

#include <stdint.h>

/* Registers: byte offsets from the AXI4-Lite base address. */
$registers

/* Performance counters: 48 bits, low word first (cosynth_counter). */
$counters

/* Memory regions, bytes. */
$regions

/* Tensors: real = scale * (value - zero point). */
$tensors

static inline uint32_t cosynth_read(uintptr_t base, uint32_t offset)
{
    return *(volatile uint32_t *)(base + offset);
}

static inline void cosynth_write(uintptr_t base, uint32_t offset, uint32_t value)
{
    *(volatile uint32_t *)(base + offset) = value;
}

/* Start one inference; addresses are those of the AXI master. Returns 0, or -1 if nothing answers at base. */
static inline int cosynth_start(uintptr_t base, uint32_t image, uint32_t scratch, uint32_t input, uint32_t output)
{
    if (cosynth_read(base, COSYNTH_REG_IDENTITY) != COSYNTH_IDENTITY)
        return -1;
    cosynth_write(base, COSYNTH_REG_IMAGE_BASE, image);
    cosynth_write(base, COSYNTH_REG_SCRATCH_BASE, scratch);
    cosynth_write(base, COSYNTH_REG_INPUT_BASE, input);
    cosynth_write(base, COSYNTH_REG_OUTPUT_BASE, output);
    cosynth_write(base, COSYNTH_REG_CONTROL, 1u);
    return 0;
}

/* Wait for the end of the inference. Returns 0, or -1 after a bus error. */
static inline int cosynth_wait(uintptr_t base)
{
    uint32_t status;
    do {
        status = cosynth_read(base, COSYNTH_REG_STATUS);
    } while (!(status & COSYNTH_STATUS_DONE));
    return (status & COSYNTH_STATUS_BUS_ERROR) ? -1 : 0;
}

/* A performance counter of the last inference, such as COSYNTH_COUNTER_CYCLES. */
static inline uint64_t cosynth_counter(uintptr_t base, uint32_t offset)
{
    uint64_t low = cosynth_read(base, offset);
    return low | ((uint64_t)cosynth_read(base, offset + 4u) << 32);
}

static inline int8_t cosynth_quantise_input(float real)
{
    float value = real / COSYNTH_INPUT_SCALE + (float)COSYNTH_INPUT_ZERO_POINT;
    value += value < 0.0f ? -0.5f : 0.5f;
    return (int8_t)(value < -128.0f ? -128.0f : value > 127.0f ? 127.0f : value);
}

static inline float cosynth_dequantise_output(int8_t value)
{
    return COSYNTH_OUTPUT_SCALE * (float)(value - COSYNTH_OUTPUT_ZERO_POINT);
}

#endif
""")


def c_header(program: Program) -> str:
    """The header for ``program`` on its accelerator."""
    config: AcceleratorConfig = program.config
    registers = [(f"COSYNTH_REG_{register.name}", f"0x{register.offset:02x}u") for register in REGISTERS]
    registers += [
        ("COSYNTH_IDENTITY", f"0x{IDENTITY:08x}u"),
        ("COSYNTH_STATUS_DONE", "0x1u"),
        ("COSYNTH_STATUS_BUS_ERROR", "0x4u"),
    ]
    counters = [
        (f"COSYNTH_COUNTER_{counter.name.upper()}", f"0x{COUNTER_BASE + 8 * index:03x}u")
        for index, counter in enumerate(COUNTERS)
    ]
    regions = [
        ("COSYNTH_IMAGE_BYTES", f"{len(program.image)}u"),
        ("COSYNTH_SCRATCH_BYTES", f"{program.scratch_bytes}u"),
        ("COSYNTH_INPUT_BYTES", f"{program.input.elements}u"),
        ("COSYNTH_OUTPUT_BYTES", f"{program.output.elements}u"),
    ]
    host = f";\n *    the host then runs {', '.join(program.host_operators)}" if program.host_operators else ""
    return _TEMPLATE.substitute(
        network=program.network.replace("*/", "* /"),
        rows=config.rows,
        cols=config.cols,
        host=host,
        registers=_defines(registers),
        counters=_defines(counters),
        regions=_defines(regions),
        tensors=_defines(_tensor("INPUT", program.input) + _tensor("OUTPUT", program.output)),
    )


def _tensor(name: str, tensor: TensorType) -> list[tuple[str, str]]:
    height, width, channels = tensor.shape
    return [
        (f"COSYNTH_{name}_HEIGHT", str(height)),
        (f"COSYNTH_{name}_WIDTH", str(width)),
        (f"COSYNTH_{name}_CHANNELS", str(channels)),
        (f"COSYNTH_{name}_SCALE", f"{tensor.scale:.9e}f"),
        (f"COSYNTH_{name}_ZERO_POINT", f"({tensor.zero_point})"),
    ]


def _defines(values: list[tuple[str, str]]) -> str:
    return "\n".join(f"#define {name} {value}" for name, value in values)
