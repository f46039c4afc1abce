"""The cycle model, engine by engine as the RTL has them."""

from hwgen.cycles.accelerator import Prediction, predict
from hwgen.cycles.composed import CycleTable

__all__ = ["CycleTable", "Prediction", "predict"]
