"""The user's jobs: generate, simulate, search and report, and the `cosynth` command."""
