"""Tools that look at tables and documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from headwater.core.manifest import Manifest
from headwater.json_schema import json_schema
from headwater.mcp.fitting import fitted
from headwater.mcp.link import Link
from headwater.mcp.toolbox import Toolbox
from headwater.spelling import integral

_SAMPLE = 20
_TYPES = {str: "string", bool: "boolean", dict: "object", list: "array", type(None): "null"}

Order = Literal["asc", "desc"]
Cursor = Annotated[str | None, Field(description="Of the answer before, to go on from there.")]
TableName = Annotated[str, Field(description="As `tables` lists it.")]


class DataTools:
    """tables, data, query_once."""

    def __init__(self, toolbox: Toolbox) -> None:
        self._link = toolbox.link
        toolbox.add(self.tables, self.data, self.query_once)

    async def tables(self) -> dict[str, Any]:
        """The tables of the running server: schema, indexes and number of documents.

        A table that no class declares has a shape inferred from some of its documents instead.
        """
        manifest = await manifest_of(self._link)
        looks = (await self._link.ask("GET", "/api/data/tables"))["tables"]
        return {"tables": [await self._table(look, manifest) for look in looks]}

    async def data(
        self,
        table: TableName,
        index: Annotated[str, Field(description="Whose order to read in.")] = "by_creation_time",
        order: Order = "desc",
        limit: Annotated[int, Field(ge=1, le=100)] = 20,
        cursor: Cursor = None,
    ) -> dict[str, Any]:
        """Documents of a table, the newest first unless told otherwise; `cursor` goes on."""
        return await self._read(table=table, index=index, order=order, take=limit, cursor=cursor)

    async def query_once(
        self,
        table: TableName,
        index: Annotated[str, Field(description="Of the table, or by_id, by_creation_time.")],
        eq: Annotated[
            dict[str, Any] | None,
            Field(description="Fields of the index that are equal, in its order."),
        ] = None,
        lower: Annotated[
            dict[str, Any] | None,
            Field(description='Lower end on the next field: {"sent__gte": 5} or {"sent__gt": 5}.'),
        ] = None,
        upper: Annotated[
            dict[str, Any] | None,
            Field(description='Upper end on the same field: {"sent__lte": 9} or {"sent__lt": 9}.'),
        ] = None,
        order: Order = "asc",
        take: Annotated[int, Field(ge=1, le=100)] = 20,
        cursor: Cursor = None,
    ) -> dict[str, Any]:
        """Read a range of an index once, without writing a function: what `with_index` reads.

        Equal fields come first, in the index's order, then one range on the next field.
        """
        return await self._read(
            table=table,
            index=index,
            eq=eq or {},
            lower=lower or {},
            upper=upper or {},
            order=order,
            take=take,
            cursor=cursor,
        )

    async def _read(self, **body: Any) -> dict[str, Any]:
        answer: dict[str, Any] = await self._link.ask("POST", "/api/v1/read", body=body)
        documents, added = fitted(integral(answer["documents"]))
        return {**answer, "documents": documents, **added}

    async def _table(self, look: Mapping[str, Any], manifest: Manifest) -> dict[str, Any]:
        about = {"name": look["name"], "documents": look["documents"]}
        spec = manifest.tables.get(look["name"])
        if spec is not None:
            indexes = {index.name: list(index.fields) for index in spec.indexes}
            searches = {index.name: index.field for index in spec.search_indexes}
            schema = json_schema(spec.document)
            about |= {"declared": True, "indexes": indexes, "schema": schema}
            return about | ({"search_indexes": searches} if searches else {})
        sample = await self._read(table=look["name"], order="desc", take=_SAMPLE)
        about |= {"declared": False, "indexes": {name: [] for name in look["indexes"]}}
        return about | {"inferred_shape": inferred(sample["documents"])}


def inferred(documents: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The fields of some documents, with the types their values have."""
    found: dict[str, set[str]] = {}
    for document in documents:
        for name, value in document.items():
            found.setdefault(name, set()).add(_TYPES.get(type(value), "number"))
    return {name: sorted(types) for name, types in found.items()}


async def manifest_of(link: Link) -> Manifest:
    """What the running server serves."""
    answer = await link.ask("GET", "/api/v1/manifest")
    return Manifest.from_json(answer["manifest"])
