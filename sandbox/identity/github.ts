import { createHash, randomBytes } from 'node:crypto';
import { type Request, type Response, Router, urlencoded } from 'express';
import type { Client } from './oidc.ts';
import { type Stranger, pickPage, picked } from './people.ts';

interface Granted {
  person: Stranger;
  challenge: string | undefined;
  redirectUri: string;
}

/**
 * GitHub's part of a sign-in, as its pages describe it: the page that asks, the code for a token, who one is and which
 * addresses one has. An error of the trade comes with 200, as GitHub's do.
 */
export function gitHubProvider(client: Client): Router {
  const codes = new Map<string, Granted>();
  const tokens = new Map<string, Stranger>();
  const router = Router();
  const form = urlencoded({ extended: false });
  router.get('/login/oauth/authorize', (request, response) =>
    isKnown(client, request)
      ? void response.type('html').send(pickPage('GitHub'))
      : void response.status(404).send('The application or its redirect_uri is not known.'),
  );
  router.post('/login/oauth/authorize', form, (request, response) => {
    if (!isKnown(client, request)) return void response.status(404).end();
    response.redirect(302, answerTo(codes, request));
  });
  router.post('/login/oauth/access_token', form, (request, response) => {
    const granted = take(client, codes, request.body as Record<string, string>);
    if (typeof granted === 'string') return void response.json({ error: granted });
    const token = `gho_${randomBytes(16).toString('hex')}`;
    tokens.set(token, granted);
    response.json({ access_token: token, token_type: 'bearer', scope: 'read:user,user:email' });
  });
  router.get('/user', (request, response) =>
    shown(tokens, request, response, ({ id, name }) => ({ id: Number(id), login: `user-${id}`, name: name || null })),
  );
  router.get('/user/emails', (request, response) =>
    shown(tokens, request, response, ({ email, verified }) => [{ email, verified, primary: true, visibility: null }]),
  );
  return router;
}

const isKnown = (client: Client, { query }: Request): boolean =>
  query.client_id === client.clientId && query.redirect_uri === client.redirectUri;

function answerTo(codes: Map<string, Granted>, { originalUrl, body }: Request): string {
  const asked = new URL(originalUrl, 'http://sandbox').searchParams;
  const [redirectUri, state] = [asked.get('redirect_uri') ?? '', asked.get('state') ?? ''];
  const back = (told: Record<string, string>) => `${redirectUri}?${new URLSearchParams({ ...told, state }).toString()}`;
  if ((body as { deny?: string }).deny) return back({ error: 'access_denied' });
  const code = randomBytes(10).toString('hex');
  const challenge = asked.get('code_challenge') ?? undefined;
  codes.set(code, { person: picked('github', body), challenge, redirectUri });
  return back({ code });
}

function take(client: Client, codes: Map<string, Granted>, body: Record<string, string>): Stranger | string {
  const granted = codes.get(body.code ?? '');
  codes.delete(body.code ?? '');
  if (body.client_id !== client.clientId || body.client_secret !== client.clientSecret)
    return 'incorrect_client_credentials';
  if (!granted || granted.redirectUri !== body.redirect_uri) return 'bad_verification_code';
  const shows =
    body.code_verifier === undefined ? undefined : createHash('sha256').update(body.code_verifier).digest('base64url');
  return shows === granted.challenge ? granted.person : 'bad_verification_code';
}

function shown(
  tokens: Map<string, Stranger>,
  request: Request,
  response: Response,
  what: (person: Stranger) => unknown,
): void {
  const person = tokens.get(/^Bearer (.+)$/.exec(request.get('authorization') ?? '')?.[1] ?? '');
  if (person) response.json(what(person));
  else response.status(401).json({ message: 'Bad credentials' });
}
