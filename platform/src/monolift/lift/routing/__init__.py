"""A second deployable on trial: asked as well (shadow), or given a share of the calls (canary)."""
