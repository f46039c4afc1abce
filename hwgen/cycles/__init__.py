"""The cycle model, engine by engine as the RTL has them."""

from hwgen.cycles.accelerator import Prediction, predict

__all__ = ["Prediction", "predict"]
