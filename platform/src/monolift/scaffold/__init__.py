"""`monolift startmodule`: a module in the house style, wired into its project."""
