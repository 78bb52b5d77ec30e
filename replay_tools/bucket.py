"""Objects in S3, read only: what lies under a prefix, and a copy of one in a file."""

from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from reconciler.errors import ConfigurationError


class Bucket:
    """One bucket; ConfigurationError where it, or one of its objects, cannot be read."""

    def __init__(self, name: str) -> None:
        """Reach it by boto3's own settings; AWS_ENDPOINT_URL_S3 chooses another endpoint."""
        self.name = name
        self._client = boto3.client("s3")

    def keys(self, prefix: str) -> list[str]:
        """Return the keys of the objects that begin so, sorted."""
        pages = self._client.get_paginator("list_objects_v2")
        try:
            return [
                found["Key"]
                for page in pages.paginate(Bucket=self.name, Prefix=prefix)
                for found in page.get("Contents", [])
            ]
        except (BotoCoreError, ClientError) as error:
            raise ConfigurationError(f"s3://{self.name}/{prefix}: {error}") from error

    def copy(self, key: str, path: Path) -> None:
        """Leave the object's bytes in a file; nothing of it stays in memory."""
        try:
            self._client.download_file(self.name, key, str(path))
        except (BotoCoreError, ClientError) as error:
            raise ConfigurationError(f"s3://{self.name}/{key}: {error}") from error
