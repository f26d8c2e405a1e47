"""Checks of what the APIs keep: Anthropic's batches and their results, files of both vendors."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import anthropic
import openai

from bed import Bed, Check, check_equal
from samples import Sample

CLIENT = {"max_retries": 0, "timeout": 60}
MODEL = "claude-sonnet-4-5"


def checks(bed: Bed, samples: list[Sample]) -> Iterator[Check]:
    """All checks of this suite."""
    for sample in samples:
        for run in (batch, anthropic_file, openai_file):
            yield f"kept {run.__name__} [{sample.name}]", lambda run=run, sample=sample: run(bed, sample)


def anthropic_client(bed: Bed) -> anthropic.Anthropic:
    """A client whose network leads to the gateway whatever host the API names.

    A batch names its results by a URL of the vendor's own, and the SDK goes there.
    """
    gateway = urlsplit(bed.gateway)

    def lead(request: Any) -> None:
        request.url = request.url.copy_with(scheme=gateway.scheme, host=gateway.hostname, port=gateway.port)

    http_client = anthropic.DefaultHttpxClient(event_hooks={"request": [lead]})
    return anthropic.Anthropic(base_url=bed.gateway, api_key="sk-ant-check", http_client=http_client, **CLIENT)


def batch(bed: Bed, sample: Sample) -> None:
    client = anthropic_client(bed)
    exchange = bed.exchange()
    params = {"model": MODEL, "max_tokens": 64, "messages": [{"role": "user", "content": sample.prompt}]}
    wanted = {"first": f"{sample.prompt} (1)", "second": f"{sample.prompt} (2)"}
    requests = [
        {"custom_id": name, "params": {**params, "messages": [{"role": "user", "content": text}]}}
        for name, text in wanted.items()
    ]
    created = client.messages.batches.create(requests=requests, extra_headers=exchange.headers)
    check_equal(created.processing_status, "in_progress", "processing_status")
    body = bed.check_unseen(sample, exchange)
    check_equal([request["custom_id"] for request in body["requests"]], list(wanted), "custom ids")
    for request in body["requests"]:
        check_equal(request["params"]["model"], MODEL, "model")

    ended = client.messages.batches.retrieve(created.id)
    check_equal((ended.id, ended.request_counts.succeeded), (created.id, 2), "batch")
    results = list(client.messages.batches.results(created.id))
    check_equal([result.result.type for result in results], ["succeeded", "succeeded"], "types of the results")
    got = {result.custom_id: result.result.message.content[0].text for result in results}
    check_equal(got, wanted, "texts of the results")


def file_of(sample: Sample) -> bytes:
    """Lines of JSON, as batches of OpenAI take them."""
    lines = [{"custom_id": str(at), "body": {"input": sample.prompt}} for at in range(3)]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()


def check_file_masked(bed: Bed, sample: Sample, entry: dict[str, Any]) -> None:
    for secret, name in sample.secrets.items():
        seen = secret in entry["body"] or json.dumps(secret)[1:-1] in entry["body"]
        assert seen == bed.direct, f"the mock {'saw' if seen else 'did not see'} {name} in the file"


def anthropic_file(bed: Bed, sample: Sample) -> None:
    client = anthropic_client(bed)
    files = getattr(client, "files", None) or client.beta.files
    exchange = bed.exchange()
    text = sample.prompt.encode()
    uploaded = files.upload(file=("notes.txt", text, "text/plain"), extra_headers=exchange.headers)
    check_equal((uploaded.filename, uploaded.mime_type), ("notes.txt", "text/plain"), "file")
    check_file_masked(bed, sample, exchange.received())
    check_equal(files.retrieve_metadata(uploaded.id).id, uploaded.id, "id")
    check_equal(files.download(uploaded.id).read().decode(), sample.prompt, "content")


def openai_file(bed: Bed, sample: Sample) -> None:
    client = openai.OpenAI(base_url=f"{bed.gateway}/v1", api_key="sk-check", **CLIENT)
    exchange = bed.exchange()
    upload = file_of(sample)
    uploaded = client.files.create(
        file=("batch.jsonl", upload, "application/jsonl"), purpose="batch", extra_headers=exchange.headers
    )
    check_equal((uploaded.filename, uploaded.purpose), ("batch.jsonl", "batch"), "file")
    check_file_masked(bed, sample, exchange.received())
    check_equal(client.files.content(uploaded.id).read().decode(), upload.decode(), "content")
