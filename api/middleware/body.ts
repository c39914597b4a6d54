import express, { type NextFunction, type Request, type Response } from 'express';
import { limits } from '../../contracts/limits.ts';
import { DomainError } from '../../domain/errors.ts';

const json = express.json({ limit: limits.requestBodyBytes, strict: true, type: 'application/json' });

/** Reads a JSON body within the limit. A body of another type is refused rather than passed over as if it were none. */
export function readBody(request: Request, response: Response, next: NextFunction): void {
  const hasBody =
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
  if (hasBody && !request.is('application/json')) return next(new DomainError('unsupported_media_type'));
  json(request, response, (error?: unknown) => next(error === undefined ? undefined : toBodyError(error)));
}

/** The parser's errors (`type` is body-parser's own word) as ours. */
function toBodyError(error: unknown): unknown {
  const { type } = error as { type?: string };
  switch (type) {
    case 'entity.too.large':
      return new DomainError('payload_too_large', {
        detail: `A body may have ${limits.requestBodyBytes} bytes at most.`,
      });
    case 'entity.parse.failed':
    case 'request.size.invalid':
    case 'request.aborted':
      return new DomainError('malformed_json');
    case 'encoding.unsupported':
    case 'charset.unsupported':
      return new DomainError('unsupported_media_type', { detail: 'Send the body uncompressed or as gzip, in UTF-8.' });
    default:
      return error;
  }
}
