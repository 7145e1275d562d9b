// The vendor's unmodified @azure/storage-blob for Node, against addresses and links that a test hands in.
'use strict';

const { createHash } = require('node:crypto');

const { BlockBlobClient, ContainerClient } = require('@azure/storage-blob');
const { serve } = require('./lines');

/** Bytes that follow from `seed`, so that they need not be sent over. */
function content(seed, size) {
  const block = createHash('sha512').update(seed).digest();
  return Buffer.alloc(size, block);
}

function digest(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

serve({
  async put({ url, seed, size }) {
    await new BlockBlobClient(url).upload(content(seed, size), size);
  },
  async putInBlocks({ url, seed, size, block }) {
    await new BlockBlobClient(url).uploadData(content(seed, size), { blockSize: block, maxSingleShotSize: 1, concurrency: 3 });
  },
  async stage({ url, ids, commit }) {
    const client = new BlockBlobClient(url);
    for (const id of ids) {
      await client.stageBlock(Buffer.from(id).toString('base64'), id, id.length);
    }
    await client.commitBlockList(commit.map((id) => Buffer.from(id).toString('base64')));
    const lists = await client.getBlockList('committed');
    return lists.committedBlocks.map(({ name }) => Buffer.from(name, 'base64').toString());
  },
  async digest({ url, offset, count }) {
    const bytes = await new BlockBlobClient(url).downloadToBuffer(offset, count);
    return { size: bytes.length, digest: digest(bytes) };
  },
  async properties({ url }) {
    const { contentLength, contentType, etag, blobType } = await new BlockBlobClient(url).getProperties();
    return { contentLength, contentType, etag, blobType };
  },
  async list({ url, prefix, page }) {
    const names = [];
    for await (const part of new ContainerClient(url).listBlobsFlat({ prefix }).byPage({ maxPageSize: page })) {
      names.push(...part.segment.blobItems.map(({ name }) => name));
    }
    return names;
  },
  async upload({ url, name, text }) {
    await new ContainerClient(url).uploadBlockBlob(name, text, text.length);
  },
  async remove({ url, name }) {
    await new ContainerClient(url).deleteBlob(name);
  },
});
