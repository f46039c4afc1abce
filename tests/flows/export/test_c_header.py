"""The C header compiles without warnings, and a program that uses it sees the right values."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from flows.export.c_header import FILE_NAME, c_header
from hwgen.config import AcceleratorConfig
from hwgen.graph import TensorType
from hwgen.program import Program

MAIN = """
#include <stdio.h>
#include "cosynth.h"

static uint32_t device[0x200];

int main(void)
{
    uintptr_t base = (uintptr_t)device;
    if (cosynth_start(base, 0x1000u, 0x2000u, 0x3000u, 0x4000u) != -1)
        return 1;
    device[COSYNTH_REG_IDENTITY / 4] = COSYNTH_IDENTITY;
    if (cosynth_start(base, 0x1000u, 0x2000u, 0x3000u, 0x4000u) != 0)
        return 2;
    if (device[COSYNTH_REG_CONTROL / 4] != 1u || device[COSYNTH_REG_INPUT_BASE / 4] != 0x3000u)
        return 3;
    device[COSYNTH_REG_STATUS / 4] = COSYNTH_STATUS_DONE;
    if (cosynth_wait(base) != 0)
        return 4;
    device[COSYNTH_REG_STATUS / 4] |= COSYNTH_STATUS_BUS_ERROR;
    if (cosynth_wait(base) != -1)
        return 5;
    device[COSYNTH_COUNTER_CYCLES / 4] = 7u;
    device[COSYNTH_COUNTER_CYCLES / 4 + 1] = 1u;
    if (cosynth_counter(base, COSYNTH_COUNTER_CYCLES) != 0x100000007ull)
        return 6;
    printf("%d %d %d %.2f %u\\n", cosynth_quantise_input(1.0f), cosynth_quantise_input(-100.0f),
           cosynth_quantise_input(100.0f), cosynth_dequantise_output(10), COSYNTH_IMAGE_BYTES);
    return 0;
}
"""


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
def test_header_compiles_cleanly_and_drives_the_registers(tmp_path: Path) -> None:
    program = Program(
        network="nasty */ name",
        config=AcceleratorConfig(),
        image=bytes(128),
        scratch_bytes=4096,
        input=TensorType((8, 8, 1), scale=0.5, zero_point=-3),
        output=TensorType((1, 1, 10), scale=0.25, zero_point=2),
        layers=(),
        host_operators=("SOFTMAX",),
    )
    (tmp_path / FILE_NAME).write_text(c_header(program))
    (tmp_path / "main.c").write_text(MAIN)
    compiled = subprocess.run(
        ["gcc", "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "main.c", "-o", "main"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert compiled.returncode == 0, compiled.stderr
    finished = subprocess.run([tmp_path / "main"], capture_output=True, text=True)
    assert finished.returncode == 0
    assert finished.stdout.split() == ["-1", "-128", "127", "2.00", "128"]
