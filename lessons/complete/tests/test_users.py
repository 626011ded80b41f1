"""What is kept of people."""

from headwater.testing import Backend

from backend.counters import value_of
from backend.users import get_me, store_user


def test_who_signs_in_is_stored_once(backend: Backend) -> None:
    """Signing in again gives the same id; a visitor, and who has not been stored, get null."""
    ana = backend.with_identity(subject="ana", email="ana@example.org")
    assert backend.query(get_me) is None
    assert ana.query(get_me) is None
    assert ana.mutation(store_user) == ana.mutation(store_user)
    me = ana.query(get_me)
    assert me is not None
    assert (me.name, me.email) == ("ana", "ana@example.org")


def test_the_same_subject_of_another_issuer_is_somebody_else(backend: Backend) -> None:
    """People are told apart by issuer and subject together."""
    ana = backend.with_identity(subject="ana")
    other = backend.with_identity(subject="ana", issuer="https://login.example.org")
    assert ana.mutation(store_user) != other.mutation(store_user)


def test_a_new_name_is_taken_over_and_a_missing_one_is_not(backend: Backend) -> None:
    """What the newest token says counts; a token that says nothing takes nothing away."""
    for claims in ({}, {"name": "Ana Lima"}, {}):
        person = backend.with_identity(subject="ana", **claims)
        person.mutation(store_user)
    me = person.query(get_me)
    assert me is not None
    assert me.name == "Ana Lima"


def test_people_are_counted_once_a_day(backend: Backend) -> None:
    """Two people, one of them twice, are two; and the next day they are counted anew."""
    people = [backend.with_identity(subject=name) for name in ("ana", "ben", "ana")]
    for person in people:
        person.mutation(store_user)
    key = "day:2023-11-14:active_users"
    assert backend.run(lambda ctx: value_of(ctx, key)) == 2
    backend.advance(days=1)
    people[0].mutation(store_user)
    assert backend.run(lambda ctx: value_of(ctx, "day:2023-11-15:active_users")) == 1


def test_a_second_change_on_the_same_day_disturbs_no_reader(backend: Backend) -> None:
    """Who watches what they are is not run again by each of their own changes."""
    ana = backend.with_identity(subject="ana")
    ana.mutation(store_user)
    watched = ana.subscribe(get_me)
    backend.advance(minutes=1)
    ana.mutation(store_user)
    assert watched.runs == 1
    watched.close()
