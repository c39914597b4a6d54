import { Router } from 'express';
import { sandboxClient } from './client.ts';
import { gitHubProvider } from './github.ts';
import { oidcProvider } from './oidc.ts';
import { page } from './people.ts';

/** Both providers, for an app at that address: `/identity/oidc`, `/identity/github`, and a page to come back to. */
export function identityProviders(url: string, appUrl: string): Router {
  const client = (id: string) => ({ ...sandboxClient, redirectUri: `${appUrl}/v1/auth/oauth/${id}/callback` });
  const router = Router();
  router.use('/identity/oidc', oidcProvider(`${url}/identity/oidc`, client('sandbox')));
  router.use('/identity/github', gitHubProvider(client('sandbox-github')));
  router.get('/identity/', (_request, response) => void response.type('html').send(startPage(url, appUrl)));
  router.get('/identity/back', (_request, response) => void response.type('html').send(backPage(appUrl)));
  return router;
}

function startPage(url: string, appUrl: string): string {
  const back = new URLSearchParams({ returnTo: `${url}/identity/back` }).toString();
  return page(
    'Sign in elsewhere',
    `<p><a href="${appUrl}/v1/auth/oauth/sandbox?${back}">by OpenID Connect</a></p><p><a href="${appUrl}/v1/auth/oauth/sandbox-github?${back}">by GitHub</a></p>`,
  );
}

/** What an app is told, and what it does next. */
const backPage = (appUrl: string): string =>
  page(
    'Back in the app',
    `<p>An app that has its page here is told:</p><p><code id="told"></code></p><p>and goes on, within a minute, by</p><p><code id="next"></code></p>
<script>
const told = new URLSearchParams(location.hash.slice(1));
document.getElementById('told').textContent = location.hash;
document.getElementById('next').textContent = told.has('code')
  ? "curl -X POST ${appUrl}/v1/auth/oauth/exchange -H 'content-type: application/json' -d '" + JSON.stringify({ code: told.get('code') }) + "'"
  : 'what the error asks for: ' + told.get('error');
</script>`,
  );
