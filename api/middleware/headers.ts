import type { NextFunction, Request, Response } from 'express';
import helmet from 'helmet';

const yearSeconds = 31_536_000;

/**
 * What every answer says to browsers. Most of it is data: nothing of it runs, loads anything, or stands in a frame or a cache.
 * The few pages and files for which that is too strict say otherwise themselves.
 */
export function secureHeaders({ publicUrl }: { publicUrl: string }) {
  const secure = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], baseUri: ["'none'"], formAction: ["'none'"], frameAncestors: ["'none'"] },
    },
    strictTransportSecurity: publicUrl.startsWith('https:') && { maxAge: yearSeconds, includeSubDomains: true },
    xFrameOptions: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    crossOriginOpenerPolicy: { policy: 'same-origin' },
  });
  return (request: Request, response: Response, next: NextFunction): void => {
    response.setHeader('cache-control', 'no-store');
    secure(request, response, next);
  };
}
