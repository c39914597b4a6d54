import { randomUUID } from 'node:crypto';
import type { NextFunction, Request, Response } from 'express';

/** A sane id of the client's own is kept, so that its logs and ours can be laid side by side. */
const sane = /^[\w.-]{8,64}$/;

export function requestId(request: Request, response: Response, next: NextFunction): void {
  const given = request.get('x-request-id');
  response.setHeader('x-request-id', given && sane.test(given) ? given : randomUUID());
  next();
}
