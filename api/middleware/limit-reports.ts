import type { RequestHandler } from 'express';
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import { limits } from '../../contracts/limits.ts';
import type { ReportDoor } from '../../domain/deps.ts';
import { DomainError } from '../../domain/errors.ts';

const perSecond: Record<ReportDoor['source'], number> = {
  sendgrid: limits.sendGridPostsPerSecond,
  twilio: limits.twilioPostsPerSecond,
};

/**
 * So many posts of a provider a second, before anything of them is read: whoever has no key can make us look at signatures
 * as well as who has one. Of this node alone, as it is this node's time; what is refused a provider tells again.
 */
export function limitReports(source: ReportDoor['source'], refuse: () => void): RequestHandler {
  const limiter = new RateLimiterMemory({ points: perSecond[source], duration: 1 });
  return (_request, response, next) => {
    limiter.consume(source).then(
      () => next(),
      ({ msBeforeNext }: RateLimiterRes) => {
        refuse();
        // Its body is not waited for.
        response.setHeader('connection', 'close');
        next(new DomainError('rate_limited', { retryAfterMs: msBeforeNext }));
      },
    );
  };
}
