import { isUtf8 } from 'node:buffer';
import express, { type NextFunction, type Request, type Response } from 'express';
import { limits } from '../../contracts/limits.ts';
import { DomainError } from '../../domain/errors.ts';

// Whatever is JSON is read; what is no object the contract refuses, and says so.
const json = express.json({
  limit: limits.requestBodyBytes,
  strict: false,
  type: 'application/json',
  verify: (_request, _response, body, encoding) => requireUtf8(body, encoding),
});

/** Decoded, what is no UTF-8 becomes U+FFFD, whatever it was: of two passwords one would be the other. */
function requireUtf8(body: Buffer, encoding: string): void {
  if (encoding !== 'utf-8') throw Object.assign(new Error('not in UTF-8'), { type: 'charset.unsupported' });
  if (!isUtf8(body)) throw Object.assign(new Error('malformed UTF-8'), { type: 'utf8.malformed' });
}

/** Reads a JSON body within the limit. A body of another type is refused rather than passed over as if it were none. */
export const readBody = (request: Request, response: Response): Promise<void> =>
  new Promise((resolve, reject) => {
    readJson(request, response, (error?: unknown) => (error === undefined ? resolve() : reject(error as Error)));
  });

function readJson(request: Request, response: Response, next: NextFunction): void {
  const hasBody =
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
  if (hasBody && !request.is('application/json')) return next(new DomainError('unsupported_media_type'));
  if (Number(request.headers['content-length'] ?? 0) > limits.requestBodyBytes) {
    // Refused by what it announces: what is still to come of it is not waited for.
    response.setHeader('connection', 'close');
    return next(tooLarge());
  }
  json(request, response, (error?: unknown) => next(error === undefined ? undefined : toBodyError(error)));
}

const untouched = express.raw({ limit: limits.reportBodyBytes, type: () => true });

/** Reads a body as it came, whatever its type, for those who sign every byte of it. */
export function readUntouched(request: Request, response: Response, next: NextFunction): void {
  untouched(request, response, (error?: unknown) =>
    next(error === undefined ? undefined : toBodyError(error, limits.reportBodyBytes)),
  );
}

const form = express.text({ limit: limits.preferencesFormBytes, type: 'application/x-www-form-urlencoded' });

/** Reads what a plain HTML form posts, as text: `new URLSearchParams(request.body)`. */
export function readForm(request: Request, response: Response, next: NextFunction): void {
  form(request, response, (error?: unknown) =>
    next(error === undefined ? undefined : toBodyError(error, limits.preferencesFormBytes)),
  );
}

/** The parser's errors (`type` is body-parser's own word) as ours. */
function toBodyError(error: unknown, limit: number = limits.requestBodyBytes): unknown {
  const { type } = error as { type?: string };
  switch (type) {
    case 'entity.too.large':
      return tooLarge(limit);
    case 'entity.parse.failed':
    case 'request.size.invalid':
    case 'request.aborted':
      return new DomainError('malformed_json');
    case 'utf8.malformed':
      return new DomainError('malformed_json', { detail: 'The body is not UTF-8; send it in well-formed UTF-8.' });
    case 'encoding.unsupported':
    case 'charset.unsupported':
      return new DomainError('unsupported_media_type', {
        detail: 'Send the body in UTF-8, uncompressed or as gzip, deflate, br or zstd.',
      });
    default:
      return isUnreadable(error) ? new DomainError('malformed_json') : error;
  }
}

const tooLarge = (limit: number = limits.requestBodyBytes) =>
  new DomainError('payload_too_large', { detail: `A body may have ${limit} bytes at most.` });

/** What zlib and its kin say of a body that is not compressed as it claims. */
const isUnreadable = (error: unknown): boolean =>
  /^(Z_|ZSTD_|ERR_BROTLI|ERR__ERROR)/.test((error as { code?: string }).code ?? '');
