"""AMD's 7-series and UltraScale+: resources after synthesis by Yosys, and what Vivado needs to go on from there."""
