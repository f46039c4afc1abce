"""The user's jobs, a package each, and the `cosynth` command."""
