"""Measuring the hub."""
