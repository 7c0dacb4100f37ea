"""Reads: functions that return Dtos, never model instances or querysets."""
