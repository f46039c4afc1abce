"""Networks made here rather than imported: published structures with random weights, to measure accelerators with."""
