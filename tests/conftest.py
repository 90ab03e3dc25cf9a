"""Fixtures for every test."""

from __future__ import annotations

from tests.s3_server import s3, s3_endpoint, s3_faults, s3_proxy, s3_server

__all__ = ["s3", "s3_endpoint", "s3_faults", "s3_proxy", "s3_server"]
