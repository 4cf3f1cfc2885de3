"""``user add`` and ``key add``: the people of the dispatch centre, and machines."""

from __future__ import annotations

import secrets
from typing import Annotated, Literal

from cyclopts import App, Parameter

from hearthline.cli.output import emit, out
from hearthline.settings import load

Role = Literal["operator", "agent", "crew", "engineer", "admin"]


def register(app: App) -> None:
    """Add the commands of this module."""
    user = App(name="user", help="Accounts of the console.")
    user.command(add)
    app.command(user)
    key = App(name="key", help="Keys with which machines use the API.")
    key.command(add_key, name="add")
    app.command(key)


def add(
    login: str,
    *,
    name: str | None = None,
    role: Role = "operator",
    password: Annotated[
        str | None, Parameter(help="Left out, one is made up and printed once.")
    ] = None,
    locale: Literal["zh_CN", "en"] = "zh_CN",
    json: bool = False,
) -> None:
    """Add a person who may log in to the console."""
    from hearthline.storage import accounts
    from hearthline.storage.database import connect

    chosen = password or secrets.token_urlsafe(9)
    with connect(load().require_database()) as connection:
        accounts.add_user(connection, login, name or login, role, chosen, locale)
    if json:
        emit({"login": login, "role": role, "password": None if password else chosen})
    elif password:
        out.print(f"{login} may log in as {role}.")
    else:
        out.print(f"{login} may log in as {role} with the password {chosen} (shown only now).")


def add_key(name: str, *, role: Role = "operator", json: bool = False) -> None:
    """Make a key for a machine; it is printed once and stored only as a hash."""
    from hearthline.storage import accounts
    from hearthline.storage.database import connect

    with connect(load().require_database()) as connection:
        key = accounts.add_key(connection, name, role)
    if json:
        emit({"name": name, "role": role, "key": key})
    else:
        out.print(f"{name} may use the API as {role} with `Authorization: Bearer {key}`.")
