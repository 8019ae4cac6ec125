"""Addresses of tracking stores."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.trackers.addresses import database_path, database_uri, is_served, without_password


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0/"), min_size=1, max_size=20))
def test_the_address_of_a_database_gives_its_path_back(name: str) -> None:
    path = Path("/results") / name / "mlflow.db"
    assert database_path(database_uri(path)) == path


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://me:secret@host:5000/x", "http://me:***@host:5000/x"),
        ("postgresql+psycopg2://me:s%40c@db/mlflow", "postgresql+psycopg2://me:***@db/mlflow"),
        ("http://:secret@host", "http://:***@host"),
        ("http://host:5000", "http://host:5000"),
        ("sqlite:////a/b:c@d.db", "sqlite:////a/b:c@d.db"),
        ("mysql://h/db?user=me&password=secret&x=1", "mysql://h/db?user=me&password=***&x=1"),
        ("cannot reach http://a:b@h/health: no", "cannot reach http://a:***@h/health: no"),
    ],
)
def test_passwords_are_not_shown(address: str, shown: str) -> None:
    assert without_password(address) == shown


@pytest.mark.parametrize(
    ("address", "served"), [("http://x", True), ("https://x", True), ("sqlite:///x", False), ("x", False)]
)
def test_servers_are_told_from_files(address: str, served: bool) -> None:
    assert is_served(address) is served


@pytest.mark.parametrize("address", ["http://x", "sqlite:///x?mode=ro", "sqlite:///file:x?mode=ro"])
def test_other_addresses_have_no_path(address: str) -> None:
    assert database_path(address) is None
