import type { IRouter, Request, Response } from 'express';
import { faultsOf } from '../../contracts/errors.ts';
import { EmailFrequency } from '../../contracts/entities/index.ts';
import { PreferencesForm } from '../../contracts/preferences-form.ts';
import type { Deps } from '../../domain/deps.ts';
import { DomainError } from '../../domain/errors.ts';
import {
  type MailPreferences,
  changeMailPreferences,
  endMails,
  mailPreferences,
} from '../../domain/preferences/index.ts';
import { type Wording, wordingFor } from '../../domain/wording/index.ts';
import { readForm } from '../middleware/body.ts';
import { type Markup, html, sendMailPage } from './mail-page.ts';

/**
 * The page behind a mail's link: how often mail comes, of which conversations, and the end of it. The link is all that is
 * asked for, so it shows and changes nothing that its mail was not about. A GET changes nothing, and what a form posts is
 * tied to the link by the path.
 */
export function preferencesRoutes(router: IRouter, deps: Deps): void {
  router.get('/preferences/:token', async (request, response) => {
    await show(deps, request, response, { saved: false });
  });
  router.post('/preferences/:token', readForm, async (request, response) => {
    named(response);
    await changeMailPreferences(deps, tokenOf(request), formOf(request));
    await show(deps, request, response, { saved: true });
  });
  router.post('/preferences/:token/unsubscribe', async (request, response) => {
    named(response);
    await endMails(deps, tokenOf(request));
    await show(deps, request, response, { saved: false });
  });
}

/** The path holds the token: neither a metric nor a log line may. */
const named = (response: Response) => void (response.locals.operation = 'preferences');
const tokenOf = ({ params }: Request) => String(params.token);

function formOf({ body }: Request): PreferencesForm {
  const fields = new URLSearchParams(typeof body === 'string' ? body : '');
  const lists = { shown: fields.getAll('shown'), mail: fields.getAll('mail') };
  const parsed = PreferencesForm.safeParse({ ...Object.fromEntries(fields), ...lists });
  if (!parsed.success) throw new DomainError('invalid_input', { errors: faultsOf(parsed.error.issues) });
  return parsed.data;
}

async function show(deps: Deps, request: Request, response: Response, { saved }: { saved: boolean }): Promise<void> {
  named(response);
  const token = tokenOf(request);
  const preferences = await mailPreferences(deps, token);
  const wording = wordingFor(preferences.locale);
  const path = `/preferences/${token}`;
  sendMailPage(response, wording, content(preferences, wording, { path, saved }));
}

function content(
  preferences: MailPreferences,
  { words: { page }, say }: Wording,
  { path, saved }: { path: string; saved: boolean },
): Markup {
  const { unsubscribed, address } = preferences;
  const done = unsubscribed ? [page.unsubscribed] : saved ? [page.saved] : [];
  return html`<h1>${say(page.to, { address: apart(address) })}</h1>
    ${done.map((words) => html`<p role="status">${words}</p>`)}
    ${unsubscribed ? [] : choices(preferences, page, say, path)}`;
}

function choices(
  { emailFrequency, emailDigestAt, weeklySummary, conversations }: MailPreferences,
  page: Wording['words']['page'],
  say: Wording['say'],
  path: string,
): Markup {
  return html`<form method="post" action="${path}">
      <fieldset><legend>${page.frequency}</legend>
        ${EmailFrequency.options.map((one) => html`<label>${radio(one, emailFrequency)}<span>${page[one]}</span></label>`)}
        <label><span>${page.at}</span><input type="time" name="emailDigestAt" value="${emailDigestAt}" required></label>
        <label>${box('weeklySummary', 'on', weeklySummary)}<span>${page.weekly}</span></label>
      </fieldset>
      ${
        conversations.length === 0
          ? []
          : html`<fieldset><legend>${page.conversations}</legend>
        ${conversations.map(({ id, name, mail }) => html`<input type="hidden" name="shown" value="${id}"><label>${box('mail', id, mail)}<span>${say(page.conversation, { name: apart(name) })}</span></label>`)}
      </fieldset>`
      }
      <button class="first">${page.save}</button>
    </form>
    <h2>${page.unsubscribe}</h2>
    <p>${page.unsubscribeWhy}</p>
    <form method="post" action="${path}/unsubscribe"><button>${page.unsubscribe}</button></form>`;
}

const radio = (value: string, chosen: string): Markup =>
  html`<input type="radio" name="emailFrequency" value="${value}"${value === chosen ? checked : []}>`;
const box = (name: string, value: string, on: boolean): Markup =>
  html`<input type="checkbox" name="${name}" value="${value}"${on ? checked : []}>`;
const checked: Markup = { html: ' checked' };

/** Reads in its own direction, whatever that of the sentence around it is (first strong isolate, UAX #9). */
const apart = (text: string) => `\u2068${text}\u2069`;
