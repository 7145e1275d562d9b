"""Blobs as rows, and back."""

from ironhub.messaging.files.blobs import Blob, BlobHead
from ironhub.storage.sqlite.rows import json_object, json_text, reading
from ironhub.storage.sqlite.statements import Values
from ironhub.storage.sqlite.tables import Row


def key_of_blob(container: str, name: str) -> Values:
    """The parameters that name a blob."""
    return {"of_container": container, "of_name": name}


def blob_values(blob: Blob) -> Values:
    """All columns."""
    return {
        "container": blob.container,
        "name": blob.name,
        "size": blob.size,
        "etag": blob.etag,
        "created_at": blob.created_at,
        "modified_at": blob.modified_at,
        "content_type": blob.head.content_type,
        "content_md5": blob.head.content_md5,
        "headers": json_text(blob.head.headers),
    }


def blob_of(row: Row) -> Blob:
    """The blob in a row of the blobs table. Raises CorruptStore."""
    container, name, size, etag, created_at, modified_at, content_type, content_md5, headers = row
    with reading(f"blob {container}/{name}"):
        return Blob(
            container=container,
            name=name,
            size=size,
            etag=etag,
            created_at=created_at,
            modified_at=modified_at,
            head=BlobHead(content_type=content_type, content_md5=content_md5, headers=json_object(headers)),
        )
