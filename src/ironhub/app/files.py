"""Wires uploads and blobs: where they lie, what they are signed with, and what collects the rest."""

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import httpx

from ironhub.app.datadir import DataDirectory
from ironhub.app.settings import Settings, SettingsInvalid
from ironhub.core.clock import Clock, Entropy
from ironhub.core.sealing import Sealer
from ironhub.identity.links import BlobAccount, LinkGate
from ironhub.identity.model import SymmetricKeys
from ironhub.messaging.files.blobs import BlobNameInvalid, BlobSettings, check_container
from ironhub.messaging.files.collector import FileCollector
from ironhub.messaging.files.keeper import BlobKeeper
from ironhub.messaging.files.model import FileSettings
from ironhub.messaging.files.ports import Depot, UploadStore
from ironhub.messaging.files.service import UploadService
from ironhub.storage.blobs.contents import FileContents
from ironhub.storage.blobs.external import ExternalAccount, ExternalDepot
from ironhub.storage.blobs.own import OwnDepot
from ironhub.storage.stores import Stores

ACCOUNT_KEY_SIZE: Final = 64
ACCOUNT_PREFIX: Final = "ironhub"


@dataclass(frozen=True, slots=True)
class FileParts:
    """What a hub has for files."""

    uploads: UploadService
    blobs: BlobKeeper
    account: BlobAccount
    links: LinkGate
    collector: FileCollector


@asynccontextmanager
async def open_files(
    settings: Settings, directory: DataDirectory, stores: Stores, sealer: Sealer, clock: Clock, entropy: Entropy
) -> AsyncIterator[FileParts]:
    """Yield the parts, ready to be used. Raises SettingsInvalid, AccountInvalid, CorruptStore."""
    account = await _ensure_account(stores.uploads, entropy)
    contents = FileContents(directory.blobs, sealer)
    keeper = BlobKeeper(stores.blobs, contents, clock, entropy, _bounds(settings))
    await keeper.open()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(contents.close)
        depot = await stack.enter_async_context(_depot(settings, stores, account, clock))
        uploads = UploadService(stores.uploads, depot, clock, entropy, _file_settings(settings))
        collector = FileCollector(uploads, keeper, stores.uploads, stores.blobs, clock)
        yield FileParts(uploads, keeper, account, LinkGate(account, clock), collector)


async def _ensure_account(store: UploadStore, entropy: Entropy) -> BlobAccount:
    """The account is made at the first start, with keys that nobody is ever shown."""
    account = await store.blob_account()
    if account is None:
        keys = SymmetricKeys(entropy.token_bytes(ACCOUNT_KEY_SIZE), entropy.token_bytes(ACCOUNT_KEY_SIZE))
        account = BlobAccount(f"{ACCOUNT_PREFIX}{entropy.token_bytes(6).hex()}", keys)
        await store.put_blob_account(account)
    return account


@asynccontextmanager
async def _depot(settings: Settings, stores: Stores, account: BlobAccount, clock: Clock) -> AsyncIterator[Depot]:
    if settings.upload_account is None:
        yield OwnDepot(stores.blobs, account, clock, _container(settings))
        return
    external = ExternalAccount(_text_of(settings))
    context = ssl.create_default_context(cafile=settings.upload_account_ca)
    async with httpx.AsyncClient(verify=context, follow_redirects=False) as client:
        yield ExternalDepot(external, client, clock, settings.upload_container)


def _text_of(settings: Settings) -> str:
    path = settings.upload_account
    try:
        return "" if path is None else path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        raise SettingsInvalid(f"upload_account: {path} cannot be read: {error}") from error


def _container(settings: Settings) -> str:
    try:
        return check_container(settings.upload_container)
    except BlobNameInvalid as error:
        raise SettingsInvalid(f"upload_container: {error}") from error


def _bounds(settings: Settings) -> BlobSettings:
    return BlobSettings(
        max_blob=settings.blob_max_size,
        max_total=settings.blob_max_total,
        max_staged=settings.blob_max_blocks,
        staged_ttl=settings.blob_block_ttl,
    )


def _file_settings(settings: Settings) -> FileSettings:
    return FileSettings(
        link_ttl=settings.upload_link_ttl,
        notifications=settings.file_notifications,
        notification_ttl=settings.file_notification_ttl,
        lock_duration=settings.file_notification_lock,
        max_delivery_count=settings.file_notification_max_delivery,
    )
