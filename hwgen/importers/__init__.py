"""Importers: network files of other tools, read into LayerGraphs."""
