import type { IRouter, Request, Response } from 'express';
import type { Deps } from '../../domain/deps.ts';
import { readUnsubscribeToken, unsubscribe } from '../../domain/attention/index.ts';
import { DomainError } from '../../domain/errors.ts';

/**
 * The link in every mail about unread messages (RFC 8058). A POST ends the mails, without a login or a question, and
 * twice is once; its body says nothing that matters. A GET changes nothing: gateways and previews fetch every link.
 */
export function unsubscribeRoutes(router: IRouter, deps: Deps): void {
  router.get('/unsubscribe/:token', (request, response) => {
    named(response);
    personOf(deps, request);
    page(
      response,
      `<h1>No more mails about unread messages?</h1><form method="post"><button>Unsubscribe</button></form>`,
    );
  });
  router.post('/unsubscribe/:token', async (request, response) => {
    named(response);
    await unsubscribe(deps, personOf(deps, request));
    page(response, '<h1>Done</h1><p>No more mails about unread messages come to this address.</p>');
  });
}

/** The path holds the token: neither a metric nor a log line may. */
const named = (response: Response) => void (response.locals.operation = 'unsubscribe');

function personOf(deps: Deps, { params }: Request) {
  const userId = readUnsubscribeToken(deps, String(params.token));
  if (!userId) throw new DomainError('not_found', { detail: 'This link is not whole. Copy all of it from the mail.' });
  return userId;
}

function page(response: Response, body: string): void {
  response.setHeader('content-security-policy', "default-src 'none'; form-action 'self'");
  response.setHeader('referrer-policy', 'no-referrer');
  response.setHeader('cache-control', 'no-store');
  response
    .type('html')
    .send(
      `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Homing</title><meta name="viewport" content="width=device-width, initial-scale=1"></head><body>${body}</body></html>`,
    );
}
