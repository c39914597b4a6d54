import type { IRouter, Request, Response } from 'express';
import type { Deps } from '../../domain/deps.ts';
import { preferencesToken, readUnsubscribeToken, unsubscribe } from '../../domain/attention/index.ts';
import { DomainError } from '../../domain/errors.ts';
import { localeOf } from '../../domain/preferences/index.ts';
import { wordingFor } from '../../domain/wording/index.ts';
import { html, sendMailPage } from './mail-page.ts';

/**
 * The link in every mail about unread messages (RFC 8058). A POST ends the mails, without a login or a question, and
 * twice is once; its body says nothing that matters. A GET changes nothing: gateways and previews fetch every link.
 */
export function unsubscribeRoutes(router: IRouter, deps: Deps): void {
  router.get('/unsubscribe/:token', async (request, response) => {
    named(response);
    const userId = personOf(deps, request);
    const wording = wordingFor(await localeOf(deps, userId));
    const { page } = wording.words;
    const rather = `/preferences/${preferencesToken(deps, { userId, attemptId: 'all' })}`;
    sendMailPage(
      response,
      wording,
      html`<h1>${page.question}</h1><form method="post"><button class="first">${page.unsubscribe}</button></form><p><a href="${rather}">${page.rather}</a></p>`,
    );
  });
  router.post('/unsubscribe/:token', async (request, response) => {
    named(response);
    const userId = personOf(deps, request);
    await unsubscribe(deps, userId);
    const wording = wordingFor(await localeOf(deps, userId));
    sendMailPage(response, wording, html`<p role="status">${wording.words.page.unsubscribed}</p>`);
  });
}

/** The path holds the token: neither a metric nor a log line may. */
const named = (response: Response) => void (response.locals.operation = 'unsubscribe');

function personOf(deps: Deps, { params }: Request) {
  const userId = readUnsubscribeToken(deps, String(params.token));
  if (!userId) throw new DomainError('not_found', { detail: 'This link is not whole. Copy all of it from the mail.' });
  return userId;
}
