"""Networks: search spaces, training, quantisation to the LayerGraph, and accuracy oracles."""
