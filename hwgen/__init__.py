"""The LayerGraph, its int8 arithmetic, the compiler, the accelerator's RTL and the models of what they cost."""
