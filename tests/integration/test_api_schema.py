"""The description matches the real application: random requests find no surprise.

Schemathesis makes the requests and judges the answers; they travel by the test client, since its
own transport does not work beside the HTTP library that the Grafana client brings.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of
from hypothesis.strategies import booleans
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import create_app
from hearthline.settings import Settings
from hearthline.storage import accounts
from hearthline.storage.database import Connection
from tests import builders as b

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

EXAMPLES = 20
ALL = list(HealthCheck)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture
def client(settings: Settings, connection: Connection) -> Iterator[TestClient]:
    """A client of the application over a town with a ticket."""
    now = datetime.now(UTC)
    ledger = b.town(b.TownPlan(1, 1, floors=2))
    with connection.transaction():
        b.save(connection, ledger)
        b.room_series(connection, "T-S1-B01-E1-0101", now, 17.0, hours=2)
        b.ticket(connection, ledger, "T-S1-B01", ["T-S1-B01-E1-0101"], at=now - timedelta(hours=1))
    with TestClient(create_app(settings), raise_server_exceptions=False) as own:
        yield own


def test_random_requests_are_answered_as_described(
    client: TestClient, connection: Connection
) -> None:
    key = accounts.add_key(connection, "random", "admin")
    schema = schemathesis.openapi.from_dict(client.get("/openapi.json").json())
    headers = {"Authorization": f"Bearer {key}"}
    number = client.get("/api/v1/tickets", headers=headers).json()["items"][0]["number"]
    tried = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path != "/metrics":
            tried += 1
            _try(client, operation, headers, _real(operation.path, number))
    assert tried >= 18


def _try(client: TestClient, operation: Any, headers: dict[str, str], real: dict[str, str]) -> None:
    """Send random requests of one operation, half of them about something that exists."""

    @settings_of(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=ALL)
    @given(case=operation.as_strategy(), known=booleans())
    def answer(case: schemathesis.Case, known: bool) -> None:
        if known and case.path_parameters:
            case.path_parameters = real
        request = case.as_transport_kwargs(base_url="http://testserver")
        request["headers"] = {**request["headers"], **headers}
        case.validate_response(client.request(**request), checks=CHECKS)

    answer()


def _real(path: str, number: str) -> dict[str, str]:
    """Path parameters that exist, for the level that the path is about."""
    codes = {"/units/": "T-S1-B01-E1-0101", "/buildings/": "T-S1-B01", "/substations/": "T-S1"}
    code = next((code for part, code in codes.items() if part in path), "T-S1")
    found = {"number": number, "uid": "own:t/T-S1-B01-E1-0101", "code": code, "month": "2026-01"}
    return {name: value for name, value in found.items() if f"{{{name}}}" in path}


def test_the_description_is_openapi_3_1_with_examples_and_security(client: TestClient) -> None:
    told = client.get("/openapi.json").json()
    assert told["openapi"].startswith("3.1")
    assert set(told["components"]["securitySchemes"]) == {"HTTPBearer", "APIKeyCookie"}
    for path, operations in told["paths"].items():
        for operation in operations.values():
            assert operation["tags"], path
            assert operation["summary"], path
            if path.startswith("/api/"):
                assert "401" in operation["responses"], path
    assert "example" in told["components"]["schemas"]["Unit"]
