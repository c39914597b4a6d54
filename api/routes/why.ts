import type { IRouter } from 'express';
import type { Deps } from '../../domain/deps.ts';
import { type MailWhy, whyThisMail } from '../../domain/preferences/index.ts';
import { type Wording, wordingFor } from '../../domain/wording/index.ts';
import { type Markup, html, sendMailPage } from './mail-page.ts';

/**
 * The page behind "Why did I get this?" of a mail. The link is all that is asked for: gateways and previews fetch it, so a
 * GET changes nothing, and it tells nothing that is not about its mail.
 */
export function whyRoutes(router: IRouter, deps: Deps): void {
  router.get('/why/:token', async ({ params }, response) => {
    // The path holds the token: neither a metric nor a log line may.
    response.locals.operation = 'why';
    const why = await whyThisMail(deps, params.token);
    const wording = wordingFor(why.locale);
    sendMailPage(response, wording, content(why, wording, params.token));
  });
}

function content({ told, unsubscribe }: MailWhy, { words, say }: Wording, token: string): Markup {
  const { why, email } = words;
  return html`<h1>${why.question}</h1>
    ${told ? [said(told)] : paragraphs([say(email.why), say(why.gone)])}
    <h2>${why.fewer}</h2>
    <nav><a href="/preferences/${token}">${email.preferences}</a>
    <a href="/unsubscribe/${unsubscribe}">${email.unsubscribe}</a></nav>`;
}

const said = ({ heading, conversations, because }: NonNullable<MailWhy['told']>): Markup =>
  html`<p>${heading}</p>
    <ul>${conversations.map((line) => html`<li>${line}</li>`)}</ul>
    ${paragraphs(because)}`;

const paragraphs = (lines: readonly string[]): Markup[] => lines.map((line) => html`<p>${line}</p>`);
