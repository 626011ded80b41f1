"""Tables whose fields are of every kind that has a type in TypeScript."""

import enum
from typing import Annotated, Any, Literal

from pydantic import Field

from headwater import Document, Id, Index, Int64, Model, SearchIndex


class Color(enum.Enum):
    """What a thing may look like."""

    RED = "red"
    GREEN = "green"


class Address(Model):
    """A nested object."""

    street: str
    floor: int | None
    bell: str | None = None


class Person(Document, table="people"):
    """Somebody."""

    name: Annotated[str, Field(max_length=80)]
    address: Address
    by_name = Index("name")
    by_street = Index("address.street", "name")


class Task(Document, table="tasks"):
    """Something somebody has to do."""

    title: str
    owner: Id[Person]
    completed: bool = False
    priority: Literal["low", "high"] | None = None
    due: float | None
    by_owner = Index("owner")
    search_title = SearchIndex("title", filter_fields=("owner", "completed"))


class Thing(Document, table="things"):
    """A field of each kind."""

    number: float
    whole: int
    long: Int64
    raw: bytes
    flag: bool
    color: Color
    tags: list[str]
    scores: dict[str, float]
    votes: dict[Id[Person], bool]
    either: str | float | None
    level: Literal[1, 2, -3]
    big: Annotated[Int64, Literal[1]] | None = None
    anything: Any = None
    any_id: Id[Any]
    places: list[Address]
