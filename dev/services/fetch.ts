import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { basename, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { run, withProgress } from './command.ts';
import type { Context } from './context.ts';
import type { Release } from './pins.ts';

export const fetchLimits = {
  /** Milliseconds to a connection. A machine without internet often gets silence, not a refusal. */
  connectMs: 3_000,
  /** Milliseconds without a byte after which a download is given up. */
  stallMs: 15_000,
  redirects: 5,
};

// A host that could not be reached once is not tried again in this run: four services would wait four times.
const unreachable = new Set<string>();

/**
 * Downloads a release archive, refuses it unless its SHA-256 is the pinned one, and unpacks it into the folder without
 * its first `topFolder` path parts.
 */
export async function fetchRelease(
  release: Release,
  folder: string,
  topFolder: 0 | 1,
  context: Context,
): Promise<void> {
  const archive = join(folder, basename(new URL(release.url).pathname));
  await withProgress(context, `Downloading ${basename(archive)}`, async (tell) => {
    const found = await download(release.url, archive, tell, context);
    if (found !== release.sha256) throw new Error(`wrong checksum: SHA-256 is ${found}, pinned is ${release.sha256}`);
  });
  await run('tar', ['-xzf', archive, '-C', folder, `--strip-components=${topFolder}`], context);
  await rm(archive);
}

async function download(url: string, file: string, tell: (state: string) => void, context: Context): Promise<string> {
  const response = await open(new URL(url), fetchLimits.redirects, context);
  const total = Number(response.headers['content-length'] ?? 0);
  const hash = createHash('sha256');
  let bytes = 0;
  const watch = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      hash.update(chunk);
      tell(`${megabytes(bytes)} of ${total ? megabytes(total) : 'unknown'} MB`);
      done(null, chunk);
    },
  });
  await pipeline(response, watch, createWriteStream(file), context.signal ? { signal: context.signal } : {});
  return hash.digest('hex');
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

async function open(url: URL, redirects: number, context: Context): Promise<http.IncomingMessage> {
  if (unreachable.has(url.host)) throw new Error(`${url.hostname} could not be reached before`);
  const response = await get(url, context);
  const { statusCode = 0 } = response;
  if (statusCode === 200) return response;
  response.destroy();
  const { location } = response.headers;
  if (statusCode >= 300 && statusCode < 400 && location && redirects > 0) {
    return open(new URL(location, url), redirects - 1, context);
  }
  throw new Error(`${url.hostname} answered ${statusCode}`);
}

function get(url: URL, context: Context): Promise<http.IncomingMessage> {
  const failed = (reason: string) => {
    unreachable.add(url.host);
    return new Error(`${url.hostname} cannot be reached (${reason})`);
  };
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'http:' ? http : https).get(url, {
      headers: { 'user-agent': 'homing' },
      ...(context.signal ? { signal: context.signal } : {}),
    });
    const connecting = setTimeout(() => {
      request.destroy(new Error(`no connection within ${fetchLimits.connectMs / 1000} s`));
    }, fetchLimits.connectMs);
    request.once('socket', (socket) => {
      socket.once(url.protocol === 'http:' ? 'connect' : 'secureConnect', () => clearTimeout(connecting));
    });
    request.setTimeout(fetchLimits.stallMs, () => request.destroy(new Error('the download stalled')));
    request.once('response', resolve);
    request.once('error', (error) => reject(failed(error.message || 'refused')));
    request.once('close', () => clearTimeout(connecting));
  });
}
