"""No statement sees or changes another tenant's rows: properties over many shapes of statements."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import (
    Select,
    String,
    delete,
    exists,
    func,
    insert,
    literal_column,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.sql.base import Executable

from smallhold.exceptions import CrossTenantError
from smallhold.state import Database
from smallhold.state.database.tenancy import (
    OneTenantPostgreSQL,
    OneTenantSQLite,
    for_one_tenant,
)
from smallhold.state.tables import BACKUPS, ENTRIES, RUNS, SESSIONS, STORE_INFO

MINE, OTHERS = "mine", "others"
TABLES = (SESSIONS, ENTRIES, RUNS)


def session_row(name: str) -> dict[str, object]:
    return {
        "id": name, "format": 1, "created_s": 1.0, "updated_s": 1.0, "head": 1,
        "payload": name.encode(),
    }  # fmt: skip


def entry_row(name: str) -> dict[str, object]:
    return {
        "session": name, "seq": 0, "run": "r", "kind": "k", "created_s": 1.0,
        "payload": name.encode(),
    }  # fmt: skip


async def fill(database: Database) -> None:
    """Both tenants have a session of the same name, and one of their own."""
    for tenant in (MINE, OTHERS):
        async with database.tenant(tenant).writing() as rows:
            for name in ("shared", f"of {tenant}"):
                await rows.execute(insert(SESSIONS), session_row(name))
                await rows.execute(insert(ENTRIES), entry_row(name))


def shapes() -> list[Executable]:
    """Queries of all kinds that could forget a tenant somewhere; each gives ids of sessions."""
    alias = SESSIONS.alias("a")
    inner = select(SESSIONS.c.id).subquery()
    cte = select(SESSIONS.c.id).cte("c")
    nested = select(select(SESSIONS.c.id).subquery().c.id).subquery()
    scalar = select(func.max(SESSIONS.c.id)).scalar_subquery()
    both = union_all(select(SESSIONS.c.id), select(ENTRIES.c.session)).subquery()
    lateral = SESSIONS.outerjoin(ENTRIES, ENTRIES.c.session == SESSIONS.c.id)
    return [
        select(SESSIONS.c.id),
        select(alias.c.id),
        select(inner.c.id),
        select(cte.c.id),
        select(nested.c.id),
        select(scalar),
        select(both.c.id),
        select(ENTRIES.c.session).select_from(lateral),
        select(alias.c.id).join(SESSIONS, alias.c.id == SESSIONS.c.id),
        select(SESSIONS.c.id).where(SESSIONS.c.id.in_(select(ENTRIES.c.session))),
        select(SESSIONS.c.id).where(exists().where(ENTRIES.c.session == SESSIONS.c.id)),
        select(SESSIONS.c.id).where(SESSIONS.c.tenant == OTHERS),
        select(SESSIONS.c.id).where((SESSIONS.c.tenant == OTHERS) | (SESSIONS.c.head == 1)),
        select(SESSIONS.c.id, func.count()).group_by(SESSIONS.c.id),
        select(SESSIONS.c.id).with_for_update(),
    ]


async def test_no_shape_of_a_query_sees_another_tenant(database: Database) -> None:
    await fill(database)
    seen: set[str] = set()
    for query in shapes():
        async with database.tenant(MINE).reading() as rows:
            seen |= {row[0] for row in await rows.execute(query) if row[0] is not None}
    assert seen == {"shared", f"of {MINE}"}


async def test_a_query_that_a_tenant_cannot_leave_finds_the_same_as_alone(
    database: Database,
) -> None:
    async with database.tenant(MINE).writing() as rows:
        await rows.execute(insert(SESSIONS), session_row("shared"))
        await rows.execute(insert(ENTRIES), entry_row("shared"))
        alone = [sorted(map(str, await rows.execute(query))) for query in shapes()]
    async with database.tenant(OTHERS).writing() as rows:
        await rows.execute(insert(SESSIONS), session_row("shared"))
        await rows.execute(insert(SESSIONS), session_row("of others"))
    async with database.tenant(MINE).reading() as rows:
        beside = [sorted(map(str, await rows.execute(query))) for query in shapes()]
    assert beside == alone


async def test_changes_and_deletions_stay_within_the_tenant(database: Database) -> None:
    await fill(database)
    async with database.tenant(MINE).writing() as rows:
        changed = await rows.execute(update(SESSIONS).values(head=7))
        chosen = select(ENTRIES.c.session)
        gone = await rows.execute(delete(SESSIONS).where(SESSIONS.c.id.in_(chosen)))
    assert (changed.rowcount, gone.rowcount) == (2, 2)
    async with database.tenant(OTHERS).reading() as rows:
        heads = (await rows.execute(select(SESSIONS.c.head))).scalars().all()
        entries = (await rows.execute(select(func.count()).select_from(ENTRIES))).scalar_one()
    assert (list(heads), entries) == ([1, 1], 2)


async def test_a_condition_cannot_reach_what_others_have(database: Database) -> None:
    await fill(database)
    async with database.tenant(MINE).writing() as rows:
        changed = await rows.execute(
            update(SESSIONS).where(SESSIONS.c.tenant == OTHERS).values(head=9)
        )
        gone = await rows.execute(delete(ENTRIES).where(ENTRIES.c.session == f"of {OTHERS}"))
    assert (changed.rowcount, gone.rowcount) == (0, 0)


async def test_a_row_belongs_to_whoever_wrote_it_whatever_it_says(database: Database) -> None:
    mine = database.tenant(MINE)
    async with mine.writing() as rows:
        await rows.execute(insert(SESSIONS), {**session_row("a"), "tenant": OTHERS})
        await rows.execute(insert(SESSIONS).values(tenant=OTHERS), session_row("b"))
        await rows.execute(insert(SESSIONS), [session_row("c"), session_row("d")])
    async with mine.reading() as rows:
        assert len((await rows.execute(select(SESSIONS.c.id))).all()) == 4
    async with database.tenant(OTHERS).reading() as rows:
        assert not (await rows.execute(select(SESSIONS.c.id))).all()


async def test_replacing_on_conflict_replaces_ones_own_row(database: Database) -> None:
    await fill(database)
    dialect = sqlite if database.address.is_sqlite else postgresql
    replacing = dialect.insert(SESSIONS).on_conflict_do_update(
        index_elements=["tenant", "id"], set_={"head": 5}
    )
    async with database.tenant(MINE).writing() as rows:
        await rows.execute(replacing, session_row("shared"))
    for tenant, head in ((MINE, 5), (OTHERS, 1)):
        async with database.tenant(tenant).reading() as rows:
            query = select(SESSIONS.c.head).where(SESSIONS.c.id == "shared")
            assert (await rows.execute(query)).scalar_one() == head


REFUSED: list[Executable] = [
    text("SELECT * FROM sessions"),
    select(text("id FROM sessions")),
    select(literal_column("(SELECT max(id) FROM sessions)", String())),
    select(SESSIONS.c.id).where(text("1 = 1")),
    select(SESSIONS.c.id).prefix_with("ALL"),
    text("SELECT id FROM sessions").columns(SESSIONS.c.id),
    select(STORE_INFO.c.value),
    select(SESSIONS.c.id).where(exists().where(BACKUPS.c.id == SESSIONS.c.id)),
    update(BACKUPS).values(created_s=1.0),
    update(SESSIONS).values(tenant=OTHERS),
    update(SESSIONS).values(tenant=SESSIONS.c.id),
    insert(SESSIONS).from_select(["id"], select(RUNS.c.id)),
    insert(SESSIONS).values([session_row("a"), {**session_row("b"), "tenant": OTHERS}]),
    insert(STORE_INFO),
    sqlite_insert(SESSIONS)
    .values(session_row("a"))
    .on_conflict_do_update(index_elements=["tenant", "id"], set_={"tenant": OTHERS}),
]


@pytest.mark.parametrize("statement", REFUSED, ids=range(len(REFUSED)))
async def test_what_cannot_be_held_to_a_tenant_is_refused(
    tmp_path_factory: pytest.TempPathFactory, statement: Executable
) -> None:
    database = Database(tmp_path_factory.mktemp("refused") / "state.db")
    parameters: dict[str, object] = {"name": "x", "value": b"x"}
    with pytest.raises(CrossTenantError):
        async with database.tenant(MINE).writing() as rows:
            await rows.execute(statement, parameters if statement is REFUSED[-2] else None)
    await database.aclose()


@st.composite
def queries(draw: st.DrawFn, depth: int = 3) -> Select[Any]:
    """A query over random tables, nested and combined at random."""
    table = draw(st.sampled_from(TABLES))
    source = draw(st.sampled_from(["table", "alias", "subquery", "cte"]))
    if depth == 0 or source == "table":
        query = select(table.c.tenant)
    elif source == "alias":
        query = select(table.alias().c.tenant)
    elif source == "subquery":
        query = select(draw(queries(depth - 1)).subquery().c.tenant)
    else:
        query = select(draw(queries(depth - 1)).cte().c.tenant)
    if depth and draw(st.booleans()):
        inside = draw(queries(depth - 1))
        query = query.where(exists(inside) if draw(st.booleans()) else table.c.tenant.in_(inside))
    if depth and draw(st.booleans()):
        combined = union_all(query, draw(queries(depth - 1))).subquery()
        query = select(combined.c.tenant)
    return query


@pytest.mark.parametrize("compiler", [OneTenantSQLite, OneTenantPostgreSQL])
@given(query=queries())
def test_every_table_that_a_query_names_is_held_to_the_tenant(
    compiler: type[OneTenantSQLite | OneTenantPostgreSQL], query: Select[Any]
) -> None:
    dialect = sqlite.dialect() if compiler is OneTenantSQLite else postgresql.dialect()
    dialect.statement_compiler = compiler
    assert for_one_tenant(query) is query
    written = str(query.compile(dialect=dialect))
    named = sum(written.count(f"FROM {table.name} ") for table in TABLES)
    held = sum(written.count(f"* FROM {table.name} WHERE tenant = ") for table in TABLES)
    joined = sum(written.count(f"JOIN {table.name} ") for table in TABLES)
    assert named == held > 0
    assert joined == 0
