"""The search for the best pairs, from its settings to the front and the chosen pair in a run directory."""
