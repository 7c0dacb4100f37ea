"""The figures, by the name that `--only` takes."""
