"""Both clients against the service: lists, tags, files and streams."""

import asyncio
import io

import pytest

from mixclient import AsyncServiceClient, NotFoundError, ServiceClient, ServiceError
from tests.support.servers import Service

ROWS = [{"name": "web", "tokens": 9_000_000}, {"name": "code", "tokens": 3_000_000}]
JOB = {"name": "run", "policy": "static", "domains": ROWS, "samples_per_step": 8}


def test_a_list_is_read_item_by_item_and_page_by_page(tenant: Service) -> None:
    for number in range(5):
        tenant.client.create_study({"name": f"study-{number}", "domains": ROWS})
    with ServiceClient(tenant.url, tenant.key) as client:
        names = [study["name"] for study in client.studies.iterate(limit=2)]
        first = client.studies.page(None, limit=3)
        second = client.studies.page(first.next, limit=3)
        assert [study["name"] for study in client.studies()] == names
    assert names == [f"study-{number}" for number in reversed(range(5))]
    assert [study["name"] for study in [*first.items, *second.items]] == names
    assert (len(first.items), second.next) == (3, None)

    async def awaited() -> list[str]:
        async with AsyncServiceClient(tenant.url, tenant.key) as client:
            assert len(await client.studies()) == 5
            return [study["name"] async for study in client.studies.iterate(limit=2)]

    assert asyncio.run(awaited()) == names


def test_notes_that_somebody_changed_meanwhile_are_not_overwritten(tenant: Service) -> None:
    with ServiceClient(tenant.url, tenant.key) as client:
        client.create_study(
            {"name": "s", "domains": [{"name": "web", "tokens": 9}, {"name": "code", "tokens": 3}]}
        )
        run = client.put_run("s", "mine", {"weights": {"web": 0.5, "code": 0.5}})
        read = client.notes(run["id"])
        client.put_notes(run["id"], {"notes": "mine", "tags": []}, if_match=read.tag)
        with pytest.raises(ServiceError) as refused:
            client.put_notes(run["id"], {"notes": "yours", "tags": []}, if_match=read.tag)
        assert refused.value.status == 412
        assert client.notes(run["id"]).value["notes"] == "mine"
        assert client.run_of_study("s", "mine")["id"] == run["id"]


def test_a_schedule_is_told_when_it_is_new_and_not_else(tenant: Service) -> None:
    tenant.client.create_job(JOB)
    with ServiceClient(tenant.url, tenant.key) as client:
        first = client.schedule("run")
        assert first is not None
        assert client.schedule("run", tag=first.tag) is None
        events = client.schedule_events("run")
        assert next(events).value == first.value
        client.pin_job("run", {"web": 0.25, "code": 0.75}, reason="a test")
        told = next(events)
        events.close()  # type: ignore[attr-defined]
        newer = client.schedule("run", tag=first.tag)
        assert newer is not None
        assert told.value == newer.value
        assert told.value["stages"][-1]["weights"] == {"web": 0.25, "code": 0.75}
        (again,) = [client.schedule_events("run", after=told.tag)]
        client.release_job("run", reason="a test")
        assert next(again).value["version"] > told.value["version"]


def test_everything_is_awaited_alike(tenant: Service) -> None:
    tenant.client.create_job(JOB)
    tenant.client.create_study({"name": "s", "domains": ROWS})

    async def awaited() -> None:
        async with AsyncServiceClient(tenant.url, tenant.key) as client:
            file = io.BytesIO()
            await client.export_study("s", file)
            file.seek(0)
            assert (await client.import_study(file, name="copy"))["name"] == "copy"
            with pytest.raises(NotFoundError) as missing:
                await client.export_study("nothing", file)
            assert missing.value.request_id
            events = client.schedule_events("run")
            first = await anext(events)
            assert first.value["version"] == (await client.job("run"))["version"]
            await client.freeze_job("run", reason="a test")
            assert (await anext(events)).value["frozen"]

    asyncio.run(awaited())
    assert {study["name"] for study in tenant.client.studies()} == {"s", "copy"}
    assert tenant.client.job("run")["hold"]["reason"] == "frozen: a test"
