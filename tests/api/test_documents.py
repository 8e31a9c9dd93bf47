"""What the API says about itself is complete, and the page in docs/ is what it says."""

import json
import re
from pathlib import Path

from jsonschema import validators

from api.__main__ import page

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_in_docs_is_made_from_the_code(client):
    made = page(client.get("/openapi.json").json())
    kept = (ROOT / "docs" / "api.md").read_text()
    assert kept == made, "run: python -m api > docs/api.md"


def test_every_operation_documents_its_statuses_and_says_what_it_does(client):
    document = client.get("/openapi.json").json()
    tags = [tag["name"] for tag in document["tags"]]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert len(operation["tags"]) == 1, where
            assert operation["tags"][0] in tags, where
            assert operation["description"].strip(), where
            answers = set(operation["responses"])
            assert {"422", "500", "503"} <= answers, where
            assert ("401" in answers) or operation["x-right"] == "public", where
            assert ("403" in answers) or operation["x-right"] == "public", where
            assert ("404" in answers) or "{" not in path, where
            assert ({"400", "413", "415"} <= answers) == ("requestBody" in operation), where
            if method == "delete":
                assert "204" in answers, where


def test_every_body_and_every_answer_in_json_has_an_example_that_fits_its_schema(client):
    document = client.get("/openapi.json").json()
    wrong = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            shown = [("body", operation.get("requestBody", {}).get("content", {}))]
            shown += [
                (status, answer.get("content", {})) for status, answer in operation["responses"].items()
            ]
            for place, content in shown:
                for kind, told in content.items():
                    if kind != "application/json":
                        continue  # files; what is in them is told in words
                    checked = validators.Draft202012Validator(
                        told["schema"] | {"components": document["components"]},
                        format_checker=validators.Draft202012Validator.FORMAT_CHECKER,
                    )
                    examples = [one["value"] for one in told.get("examples", {}).values()]
                    for example in examples or [told["example"]]:
                        wrong += [
                            (path, method, place, said.message) for said in checked.iter_errors(example)
                        ]
    assert wrong == []


def test_every_body_refuses_what_it_does_not_know(client):
    document = client.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        for operation in methods.values():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if body is not None:
                model = document["components"]["schemas"][body["schema"]["$ref"].rpartition("/")[2]]
                assert model["additionalProperties"] is False, path
                assert set(model.get("required", ())) <= set(body["example"]) <= set(model["properties"]), (
                    path
                )


def test_operations_are_named_and_grouped_as_the_contract_groups_them(client):
    document = client.get("/openapi.json").json()
    tags = [tag["name"] for tag in document["tags"]]
    seen = []
    for methods in document["paths"].values():
        for operation in methods.values():
            assert operation["summary"].strip()
            seen += operation["tags"]
    assert list(dict.fromkeys(seen)) == tags
    assert tags[:9] == ["auth", "products", "items", "warehouses", "inventory", "inventory-transactions",
                        "barcode", "predictions", "vendors"]  # fmt: skip
    ids = [
        operation["operationId"] for methods in document["paths"].values() for operation in methods.values()
    ]
    assert len(ids) == len(set(ids))


def test_references_of_the_document_lead_somewhere(client):
    text = client.get("/openapi.json").text
    schemas = json.loads(text)["components"]["schemas"]
    assert set(re.findall(r"#/components/schemas/(\w+)", text)) <= set(schemas)


def test_the_pages_load_from_here_alone_and_no_script_stands_in_them(client):
    for address, files in (("/docs", 4), ("/redoc", 2)):
        answer = client.get(address)
        assert answer.status_code == 200
        loaded = re.findall(r'(?:src|href)="([^"]+)"', answer.text.partition("<noscript>")[0])
        loaded += re.findall(r'src="([^"]+)"', answer.text.partition("<noscript>")[2])
        assert len(loaded) == files
        for loaded_from in loaded:
            assert loaded_from.startswith("/docs/"), loaded_from
            assert client.get(loaded_from).status_code == 200, loaded_from
        assert re.findall(r"<script[^>]*>(.)", answer.text) == ["<"] * answer.text.count("<script")
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "http" not in policy + answer.text
    assert client.get("/docs/files/..%2fconsts.py").status_code == 404


def test_head_works_wherever_get_does_with_the_same_headers_and_no_body(client, as_role):
    headers = as_role("viewer")
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        if "get" not in methods:
            continue
        path = re.sub(r"{\w+}", "1", path)
        asked, head = client.get(path, headers=headers), client.head(path, headers=headers)
        assert head.status_code == asked.status_code, path
        assert head.content == b""
        own = {"x-request-id", "etag"}  # of this request; of this moment
        assert set(head.headers) == set(asked.headers), path
        assert {n: v for n, v in head.headers.items() if n not in own and n != "content-length"} == {
            n: v for n, v in asked.headers.items() if n not in own and n != "content-length"
        }, path
    for path in ("/docs", "/docs/files/swagger-ui.css", "/openapi.json"):
        assert client.head(path).headers["content-length"] == str(len(client.get(path).content))
    for method, path, status in (("head", "/api/v1/auth/login", 405), ("head", "/nowhere", 404)):
        assert client.request(method, path).status_code == status
