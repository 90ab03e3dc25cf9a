"""Carrying out a plan with Luigi's worker and scheduler, and recording what became of it."""
