"""AMD's 7-series and UltraScale+: resources after synthesis by Yosys."""
