"""Readers for the console's tests."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from api.console.words import Words

NOW = datetime(2025, 12, 4, 20, 30, tzinfo=UTC)


@pytest.fixture
def chinese_reader() -> Words:
    """Somebody in Harbin."""
    return Words("zh_CN", ZoneInfo("Asia/Shanghai"), NOW)
