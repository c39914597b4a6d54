import type { NextFunction, Request, Response } from 'express';
import { factorUsed } from '../../contracts/rest/factor-used.ts';
import type { Actor, Log } from '../../domain/deps.ts';

/** What the router has found out of a request. */
interface Known {
  operation?: string;
  actor?: Actor;
  /** Whom the answer signs in. */
  signedIn?: string;
}

/** How long a call took, by operation and status: supplied by the metrics. */
export type ObserveRequest = (operation: string, status: string, seconds: number) => void;

/** One log line and one observation a request, once its answer is out; of who signs in, by what. Paths are told by operation, never as sent. */
export function observe(log: Log, observeRequest: ObserveRequest) {
  return (request: Request, response: Response, next: NextFunction) => {
    const started = process.hrtime.bigint();
    response.once('close', () => {
      const seconds = Number(process.hrtime.bigint() - started) / 1e9;
      const { operation = 'unknown', actor, signedIn } = response.locals as Known;
      const userId = actor?.userId ?? signedIn;
      const factor = factorUsed(operation, request.body);
      const status = response.writableFinished ? response.statusCode : 499;
      observeRequest(operation, `${Math.floor(status / 100)}xx`, seconds);
      log.info('request', {
        requestId: response.getHeader('x-request-id'),
        method: request.method,
        operation,
        status,
        ms: Math.round(seconds * 1e5) / 100,
        ...(factor ? { factor } : {}),
        ...(userId ? { userId } : {}),
      });
    });
    next();
  };
}
