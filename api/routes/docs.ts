import type { ServerResponse } from 'node:http';
import express, { type IRouter, type Response } from 'express';
import { createRequire } from 'node:module';
import { absolutePath } from 'swagger-ui-dist';
import { errorCodes } from '../../contracts/errors.ts';
import type { ApiOptions } from '../options.ts';
import { asyncApiDocument } from '../asyncapi.ts';
import { statusOf } from '../errors.ts';
import { openApiDocument } from '../openapi.ts';

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

/** The contracts as documents, and a page to read them on. Nothing on it comes from another host. */
export function docsRoutes(router: IRouter, { publicUrl }: Pick<ApiOptions, 'publicUrl'>): void {
  const openApi = JSON.stringify(openApiDocument({ publicUrl, version }));
  const asyncApi = JSON.stringify(asyncApiDocument({ publicUrl, version }));
  const named = (operation: string, response: Response) => {
    response.locals.operation = operation;
    return response;
  };
  router.get('/openapi.json', (_request, response) => void named('openapi', response).type('json').send(openApi));
  router.get('/asyncapi.json', (_request, response) => void named('asyncapi', response).type('json').send(asyncApi));
  router.get('/docs', (_request, response) => void page(named('docs', response), docsPage));
  router.get('/docs/start.js', (_request, response) => void named('docs', response).type('js').send(startScript));
  router.get('/docs/errors', (_request, response) => void page(named('docs', response), errorsPage()));
  router.use('/docs/ui', express.static(absolutePath(), { index: false, setHeaders: keepForADay }));
}

const keepForADay = (response: ServerResponse) =>
  void response.setHeader('cache-control', 'public, max-age=86400, immutable');

function page(response: Response, html: string): void {
  // Swagger UI writes style attributes; scripts come from here only.
  response.setHeader(
    'content-security-policy',
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
  response.type('html').send(html);
}

const docsPage = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Homing API</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="/docs/ui/swagger-ui.css"></head>
<body><div id="ui"></div><script src="/docs/ui/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body></html>`;
const startScript = `window.SwaggerUIBundle({ url: '/openapi.json', dom_id: '#ui', deepLinking: true });`;

function errorsPage(): string {
  const rows = Object.entries(errorCodes).map(
    ([code, sentence]) =>
      `<tr id="${code}"><td><code>${code}</code></td><td>${statusOf[code as keyof typeof errorCodes]}</td><td>${sentence}</td></tr>`,
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Homing error codes</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head><body style="font-family:sans-serif;max-width:60em;margin:2em auto">
<h1>Error codes</h1><p>Clients switch on <code>code</code>; the text beside it is for people.</p>
<table cellpadding="6"><tr><th>code</th><th>HTTP</th><th>meaning</th></tr>${rows.join('')}</table></body></html>`;
}
