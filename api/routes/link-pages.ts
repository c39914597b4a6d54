import type { IRouter, Request, Response } from 'express';
import { limits } from '../../contracts/limits.ts';
import { languageNames, type Wording, wordingFor } from '../../domain/wording/index.ts';
import { html, sendMailPage } from './mail-page.ts';

/**
 * What mails, texts and sign-ins elsewhere lead to where no web client stands at the public address; where one does, its operator routes these
 * paths there. Nobody is known here, so the language is the browser's.
 */
export function linkPages(router: IRouter): void {
  router.get('/reset-password', (request, response) => {
    response.locals.operation = 'resetPasswordPage';
    sendResetPage(response, wordingOf(request));
  });
  // What stands behind `n` is for the app: nothing is told of it, to whoever has the link.
  router.get('/o', (request, response) => {
    response.locals.operation = 'openPage';
    const wording = wordingOf(request);
    const { title, text } = wording.words.openPage;
    sendMailPage(response, wording, html`<h1>${title}</h1><p>${text}</p>`, { title });
  });
  // The code of the sign-in stands behind the `#`, and is for an app: the page takes it out of the address.
  router.get('/signed-in', (request, response) => {
    response.locals.operation = 'signedInPage';
    const wording = wordingOf(request);
    const { title, text } = wording.words.signedInPage;
    const script = "history.replaceState(null, '', location.pathname);";
    sendMailPage(response, wording, html`<h1>${title}</h1><p>${text}</p>`, { title, script });
  });
}

/** The first of the browser's languages that we speak. */
function wordingOf(request: Request): Wording {
  const asked = request.acceptsLanguages().filter((tag) => languageNames.includes(String(tag.split('-')[0])));
  return wordingFor(asked[0] ?? 'en');
}

/**
 * The token stands behind the `#` of the address: no server hears of it but by what the script posts, and the script takes
 * it out of the address, so that no history keeps it. All that it may ever say stands in the page, and is shown.
 */
const script = `
const token = location.hash.slice(1);
history.replaceState(null, '', location.pathname);
const form = document.querySelector('form');
const show = (name) => {
  for (const each of document.querySelectorAll('[data-said]')) each.hidden = each.dataset.said !== name;
  form.hidden = name === 'done' || name === 'expired';
};
show(token ? '' : 'expired');
const setPassword = async (password) => {
  const body = JSON.stringify({ token, password });
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch('/v1/auth/password/reset', { method: 'POST', headers, body, credentials: 'omit' });
  const { code } = answer.ok ? { code: 'done' } : await answer.json();
  return { done: 'done', code_expired: 'expired', invalid_input: 'weak' }[code] ?? 'failed';
};
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = form.querySelector('button');
  button.disabled = true;
  show('');
  const outcome = await setPassword(form.elements.password.value).catch(() => 'failed');
  button.disabled = false;
  show(outcome);
});
`;

function sendResetPage(response: Response, wording: Wording): void {
  const { words, say } = wording;
  const { explain, password, save, noScript, ...said } = words.resetPage;
  const limit = { min: limits.passwordLengthMin, max: limits.passwordLengthMax };
  const told = Object.entries(said).map(
    ([name, sentence]) => html`<p role="status" data-said="${name}" hidden>${say(sentence, limit)}</p>`,
  );
  const title = words.email.resetSubject;
  const content = html`<h1>${title}</h1>${told}<noscript><p>${noScript}</p></noscript><form method="post" hidden><p>${say(explain, limit)}</p><label>${password} <input type="password" name="password" autocomplete="new-password" maxlength="${String(limit.max)}" required></label><p><button class="first">${save}</button></p></form>`;
  sendMailPage(response, wording, content, { title, script });
}
