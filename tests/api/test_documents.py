"""What the API says about itself is complete, and the page in docs/ is what it says."""

from pathlib import Path

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
            assert ("403" in answers) or operation["x-right"] in ("public", "read"), where
            assert ("404" in answers) or "{" not in path, where
            assert ({"413", "415"} <= answers) == ("requestBody" in operation), where
            if method == "delete":
                assert "204" in answers, where


def test_every_body_has_an_example_that_fits_it(client):
    document = client.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        for operation in methods.values():
            if "application/json" not in operation.get("requestBody", {}).get("content", {}):
                continue
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            model = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            assert model["additionalProperties"] is False, path
            if path.endswith("/refresh"):
                continue  # a token as an example is a token that somebody tries
            (example,) = model["examples"]
            assert set(model.get("required", ())) <= set(example) <= set(model["properties"]), path


def test_references_of_the_document_lead_somewhere(client):
    import json
    import re

    text = client.get("/openapi.json").text
    schemas = json.loads(text)["components"]["schemas"]
    assert set(re.findall(r"#/components/schemas/(\w+)", text)) <= set(schemas)


def test_the_pages_are_allowed_to_load_what_they_load(client):
    import re

    for path in ("/docs", "/redoc"):
        answer = client.get(path)
        policy = answer.headers["content-security-policy"]
        for kind, pattern in (("script-src", r'<script[^>]*src="(https://[^/"]+)'),
                              ("style-src", r'<link[^>]*stylesheet[^>]*href="(https://[^/"]+)')):  # fmt: skip
            (allowed,) = [part for part in policy.split("; ") if part.startswith(kind)]
            for origin in re.findall(pattern, answer.text):
                assert origin in allowed
