"""Sealing on PostgreSQL: a role, its rights, a fence, and triggers that refuse everybody else."""
