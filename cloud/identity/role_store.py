"""SQL of roles: what was changed here, over what the program brings."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, text

from cloud.identity.role import ADMIN, BUILT_IN, Role, changed

_ALL = text("SELECT role, label, permissions, is_scoped, needs_totp FROM app_role")
_PUT = text("""
    INSERT INTO app_role (role, label, permissions, is_scoped, needs_totp)
    VALUES (:role, :label, :permissions, :is_scoped, :needs_totp)
    ON CONFLICT (role) DO UPDATE SET label = excluded.label, permissions = excluded.permissions,
        is_scoped = excluded.is_scoped, needs_totp = excluded.needs_totp""")
_USERS = text("SELECT count(*) FROM app_user WHERE role = :role")
_HOLDERS = text("""
    SELECT count(*) FROM app_user
    WHERE role = ANY(:roles) AND state = 'active' AND NOT is_machine AND name <> :but""")


def roles(connection: Connection) -> dict[str, Role]:
    """Every role by name, the built-in ones first."""
    found = dict(BUILT_IN)
    for row in connection.execute(_ALL):
        stored = Role(row[0], row[1], frozenset(row[2]), row[3], row[4])
        if stored.role != ADMIN:
            found[stored.role] = changed(stored)
    return found


def put_role(connection: Connection, role: Role) -> None:
    """Add a role, or write over it."""
    values = {
        "role": role.role,
        "label": role.label,
        "permissions": sorted(role.permissions),
        "is_scoped": role.is_scoped,
        "needs_totp": role.needs_totp,
    }
    connection.execute(_PUT, values)


def drop_role(connection: Connection, role: str) -> None:
    """Forget a role of one's own, or give a built-in one back its first form."""
    connection.execute(text("DELETE FROM app_role WHERE role = :role"), {"role": role})


def users_of(connection: Connection, role: str) -> int:
    """How many users have it, whatever their state."""
    return int(connection.execute(_USERS, {"role": role}).scalar_one())


def roles_with(connection: Connection, permission: str) -> list[str]:
    """The names of the roles that hold a permission for the whole chain."""
    found = roles(connection).values()
    return [each.role for each in found if permission in each.permissions and not each.is_scoped]


def holders(connection: Connection, names: Collection[str], *, but: str = "") -> int:
    """How many people of these roles may sign in, one of them left out."""
    asked = {"roles": list(names), "but": but}
    return int(connection.execute(_HOLDERS, asked).scalar_one())
