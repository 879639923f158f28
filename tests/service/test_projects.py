"""Projects by the API: an operator makes tenants, renames them, and removes them once they are empty."""

from uuid import UUID, uuid4

from tests.service.problems import problem_of
from tests.support.servers import Service

STUDY = {"name": "s", "domains": [{"name": "web", "tokens": 9}]}


def test_an_operator_makes_a_tenant_that_is_apart_from_all_others(tenant: Service) -> None:
    name = f"team-{uuid4()}"
    made = tenant.client.call("POST", "/v1/projects", body={"name": name})
    first = made["first_key"]
    assert made["name"] == name
    assert "projects:admin" not in first["scopes"]
    tenant.client.create_study(STUDY)
    with tenant.http(first["key"]) as http:
        assert http.get("/v1/studies").json()["items"] == []
        assert [row["id"] for row in http.get("/v1/keys").json()["items"]] == [first["id"]]
        assert http.post("/v1/studies", json=STUDY).status_code == 201, "names are free"
        problem_of(http.get("/v1/projects"), 403, "'projects:admin'", code="missing_scope")
        more = {"name": "more", "scopes": ["projects:admin"]}
        problem_of(http.post("/v1/keys", json=more), 403, "'projects:admin'", code="missing_scope")
        (entry,) = [e for e in http.get("/v1/audit").json()["items"] if e["kind"] == "project.created"]
        assert (entry["actor"], entry["subject"]) == ("key test", name)
    problem_of(
        tenant.call("POST", "/v1/projects", {"name": name}), 409, "another name", code="project_exists"
    )
    problem_of(tenant.call("POST", "/v1/projects", {"name": "a b"}), 422, "body.name")


def test_projects_are_listed_in_pages_that_new_ones_do_not_move(tenant: Service) -> None:
    for _ in range(3):
        tenant.client.call("POST", "/v1/projects", body={"name": f"p-{uuid4()}"})
    seen: list[str] = []
    cursor = ""
    while True:
        page = tenant.client.call("GET", f"/v1/projects?limit=2{cursor}")
        seen += [row["id"] for row in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
        if len(seen) == 2:
            tenant.client.call("POST", "/v1/projects", body={"name": f"p-{uuid4()}"})
    assert seen == sorted(set(seen))
    assert len(seen) >= 5


def test_a_project_is_renamed_and_only_removed_empty(tenant: Service) -> None:
    name, other = f"team-{uuid4()}", f"team-{uuid4()}"
    made = tenant.client.call("POST", "/v1/projects", body={"name": name})
    path, key = f"/v1/projects/{made['id']}", made["first_key"]["key"]
    renamed = tenant.call("PATCH", path, {"name": other, "reason": "merged"})
    assert renamed.json()["name"] == other
    taken = tenant.call("PATCH", path, {"name": tenant.project})
    problem_of(taken, 409, tenant.project, code="project_exists")
    with tenant.http(key) as http:
        http.post("/v1/studies", json=STUDY)
        problem_of(tenant.call("DELETE", path), 409, "still has studies", code="project_not_empty")
        assert len(http.get("/v1/studies").json()["items"]) == 1
        study = "DELETE FROM studies WHERE project_id = :id"
        with tenant.database.engine.begin() as connection:
            connection.exec_driver_sql(study.replace(":id", "%s"), (UUID(made["id"]),))
        assert tenant.call("DELETE", f"{path}?reason=left").status_code == 204
        assert http.get("/v1/studies").status_code == 401, "its keys are gone at once"
    problem_of(tenant.call("DELETE", path), 404)
    told = tenant.client.call("GET", "/v1/audit?kind=project")["items"]
    assert [(e["kind"], e["subject"], e["reason"]) for e in told] == [
        ("project.deleted", other, "left"),
        ("project.renamed", other, "merged"),
        ("project.created", name, ""),
    ]


def test_nobody_removes_the_project_of_their_own_key(tenant: Service) -> None:
    rows = tenant.client.call("GET", "/v1/projects?limit=1000")["items"]
    (own,) = [row["id"] for row in rows if row["name"] == tenant.project]
    problem_of(tenant.call("DELETE", f"/v1/projects/{own}"), 409, "your own key", code="own_project")
    assert tenant.client.studies() == []
