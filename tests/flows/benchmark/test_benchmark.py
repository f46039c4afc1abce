"""The benchmark's page and the peers beside us."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.benchmark.document import benchmark_document
from flows.benchmark.peers import ENVIRONMENT_VARIABLE, RECORDED_VELA, PeerCycles, ethos_u55, scale_sim
from hwgen.graph import Conv, Window
from tests.hwgen.single_layers import single_layer

MEASURED = {
    "bit_exact": True,
    "macs": 256_000,
    "cycles": 2_000,
    "predicted_cycles": 1_990,
    "utilization": 0.5,
    "bus_utilization": 0.25,
    "largest_layer_error": 0.01,
    "prediction_seconds": 0.002,
    "sim_seconds": 3.0,
}
VALUES = {
    "machine": {"processor": "abacus"},
    "tiny": [
        {
            "network": "toy",
            "preset": "max256",
            "peers": {"Ethos-U55-256": {"cycles": 4_000, "source": "somebody"}},
            **MEASURED,
        }
    ],
    "tuned": [{"network": "toy", "rows": 12, "cols": 21, "dataflow": "rs", "rf_depth": 8, **MEASURED}],
    "systolic": {"os": {"cycles": 58_903, "source": "somebody else"}},
    "imagenet": [{"network": "large", "preset": "max256", "peers_utilization": {"VTA 16x16": 0.7}, **MEASURED}],
    "simulators": [
        {
            "preset": "max256",
            "multipliers": 256,
            "verilog_seconds": 5.0,
            "build_seconds": 20.0,
            "start_seconds": 0.1,
            "cycles_per_second": 300_000.0,
        }
    ],
}


def test_the_page_has_every_table_with_peers_and_sources() -> None:
    page = benchmark_document(VALUES)
    assert "| toy | max256 | yes | 256 000 | 2 000 | 50.0% | 25.0% | 256: 4 000 (25.0%) |" in page
    assert "| toy | 12x21 | rs | 8 | yes | 2 000 | 50.0% |" in page
    assert "| large | yes | 256 000 | 2 000 | 50.0% | VTA 16x16 70.0% | 3 s |" in page
    assert "| toy | max256 | 1 990 | 2 000 | -0.500% | 1.000% | 2 ms |" in page
    assert "| max256 | 256 | 5.0 s | 20.0 s | 100 ms | 300 kHz |" in page
    assert "somebody" in page and "somebody else" in page and "abacus" in page


def test_recorded_figures_stand_in_for_tools_that_are_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, "/bin/false")
    assert ethos_u55(Path("kws_ref_model.tflite"), 256) == PeerCycles(57_329, RECORDED_VELA)
    assert scale_sim(single_layer(Conv, (4, 4, 3), 8, Window((3, 3))), 16, "os") is None
