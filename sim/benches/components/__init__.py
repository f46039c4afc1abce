"""Benches of single components against the golden models that lie beside their RTL."""
