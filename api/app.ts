import cors from 'cors';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { endpoints } from '../contracts/rest/index.ts';
import type { Deps, Log } from '../domain/deps.ts';
import { DomainError } from '../domain/errors.ts';
import { createElsewhere } from './elsewhere/providers.ts';
import { sendProblem } from './errors.ts';
import { createPassport } from './middleware/authenticate.ts';
import { secureHeaders } from './middleware/headers.ts';
import { createLimiter } from './middleware/limit.ts';
import { observe } from './middleware/observe.ts';
import { requestId } from './middleware/request-id.ts';
import type { ApiOptions } from './options.ts';
import { Operations } from './operations.ts';
import { createRouter } from './router.ts';
import { aboutRoutes } from './routes/about.ts';
import { signInRoutes } from './routes/auth.ts';
import { docsRoutes } from './routes/docs.ts';
import { linkPages } from './routes/link-pages.ts';
import { elsewherePages, elsewhereRoutes } from './routes/elsewhere.ts';
import { secondFactorRoutes } from './routes/factors.ts';
import { createGuards } from './routes/index.ts';
import { preferencesRoutes } from './routes/preferences.ts';
import { providerRoutes } from './routes/providers.ts';
import { unsubscribeRoutes } from './routes/unsubscribe.ts';
import { whyRoutes } from './routes/why.ts';

/** The whole of REST, readable as a list. */
export function createApp(deps: Deps, options: ApiOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', options.trustedProxies);
  app.set('query parser', 'simple');

  app.use(requestId);
  app.use(observe(options.log, options.observeRequest));
  app.use(secureHeaders(options));
  app.use(requireHost);
  app.use(cors({ origin: [...options.allowedOrigins], exposedHeaders, maxAge: 600 }));
  unsubscribeRoutes(app, deps);
  preferencesRoutes(app, deps);
  whyRoutes(app, deps);
  linkPages(app);
  providerRoutes(app, deps, options);
  const places = { publicUrl: options.publicUrl, fetch: options.fetch, now: () => deps.now() };
  const providers = createElsewhere(options.identityProviders, places);
  elsewherePages(app, deps, providers, options);

  const { authenticate, signIn } = createPassport(deps, options);
  const open = new Operations(options, createGuards(deps));
  signInRoutes(open, { signIn, addressOf: options.addressOf });
  secondFactorRoutes(open, options);
  elsewhereRoutes(open, providers, options);
  aboutRoutes(open, options);
  app.use(createRouter([...options.operations, ...open], authenticate, createLimiter(deps, options)));
  docsRoutes(app, options);

  app.use(refuseMethod);
  app.use(() => {
    throw new DomainError('not_found', { detail: 'There is nothing at this path.' });
  });
  app.use(onError(options.log));
  return app;
}

/** RFC 9112 §3.2 asks every HTTP/1.1 request for its host. */
function requireHost(request: Request, _response: Response, next: NextFunction): void {
  const missing = request.httpVersion === '1.1' && request.headers.host === undefined;
  next(missing ? new DomainError('malformed_request', { detail: 'The request names no Host.' }) : undefined);
}

/** What a page of another origin may read of an answer. */
const exposedHeaders = ['x-request-id', 'etag', 'retry-after', 'ratelimit', 'ratelimit-policy'];

const known = Object.values(endpoints).map(({ method, path }) => ({
  path,
  method: method.toUpperCase(),
  pattern: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
}));

/** A path of ours with a method that it does not take, said so (RFC 9110 §15.5.6). */
function refuseMethod(request: Request, response: Response, next: NextFunction): void {
  const matching = known.filter(({ pattern }) => pattern.test(request.path));
  const exact = matching.filter(({ path }) => path === request.path);
  const methods = (exact.length > 0 ? exact : matching).map(({ method }) => method);
  // Where it does take the method, the path itself is broken and names nothing.
  if (methods.length === 0 || methods.includes(request.method)) return next();
  response.setHeader('allow', methods.join(', '));
  next(new DomainError('method_not_allowed', { detail: `This path takes ${methods.join(', ')}.` }));
}

// Express knows an error handler by its four parameters.
function onError(log: Log) {
  return (thrown: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) return next(thrown);
    const error = sendProblem(response, isBadPath(thrown) ? new DomainError('not_found') : thrown);
    if (error.code === 'internal')
      log.error('a request failed', { requestId: response.getHeader('x-request-id'), error: thrown });
  };
}

/** A path with a broken percent-encoding names nothing. */
const isBadPath = (thrown: unknown) => thrown instanceof URIError;
