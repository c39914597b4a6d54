import { createHash } from 'node:crypto';
import type { Response } from 'express';
import type { Wording } from '../../domain/wording/index.ts';

/** Reads well on a phone and on a desk, by day and by night, from left to right and from right to left; loads nothing. */
const style = `
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; padding: 1.5rem 1rem 3rem; max-inline-size: 36rem; overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; line-height: 1.25; }
h2 { font-size: 1.1rem; margin-block: 2.5rem 0.5rem; }
fieldset { border: 1px solid color-mix(in srgb, currentColor 30%, transparent); border-radius: 0.5rem; margin: 0 0 1.25rem; padding: 0.5rem 1rem; }
legend { font-weight: 600; padding-inline: 0.25rem; }
label { display: flex; gap: 0.75rem; align-items: center; min-block-size: 2.75rem; }
input[type='radio'], input[type='checkbox'] { inline-size: 1.25rem; block-size: 1.25rem; flex: none; margin: 0; }
input[type='time'], input[type='password'], button { font: inherit; }
input[type='time'], input[type='password'] { padding: 0.25rem 0.5rem; }
button { min-block-size: 2.75rem; padding-inline: 1.25rem; border-radius: 0.5rem; border: 1px solid currentColor; background: transparent; color: inherit; cursor: pointer; }
nav a { display: flex; align-items: center; min-block-size: 2.75rem; }
button.first { background: #1d4ed8; border-color: #1d4ed8; color: #fff; }
[hidden] { display: none; }
:focus-visible { outline: 3px solid #1d4ed8; outline-offset: 2px; }
[role='status'] { border-inline-start: 4px solid #15803d; padding: 0.5rem 1rem; background: color-mix(in srgb, #15803d 12%, transparent); }
`;
const hashOf = (text: string) => `sha256-${createHash('sha256').update(text).digest('base64')}`;
const styleHash = hashOf(style);

/** HTML that may stand in a page as it is. */
export type Markup = { readonly html: string };

/** A template whose values are text, and never markup, unless they are `Markup` themselves or lists of it. */
export function html(parts: TemplateStringsArray, ...values: (string | Markup | readonly Markup[])[]): Markup {
  const told = values.map((value) =>
    typeof value === 'string'
      ? escape(value)
      : [value]
          .flat()
          .map((one) => one.html)
          .join(''),
  );
  return { html: parts.map((part, n) => part + (told[n] ?? '')).join('') };
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escape = (text: string) => text.replaceAll(/[&<>"']/g, (character) => entities[character] as string);

interface PageOptions {
  title?: string;
  /** The one thing that it runs, known by its hash; it may ask this server, and nobody else. */
  script?: string;
}

/**
 * A page for whoever came by a link of a mail. It runs nothing unless it is given, loads nothing, tells nobody where it was
 * left for, and stands in no frame and no cache.
 */
export function sendMailPage(
  response: Response,
  { language, words }: Wording,
  content: Markup,
  { title = words.page.title, script }: PageOptions = {},
): void {
  const runs =
    script === undefined
      ? "form-action 'self'"
      : `script-src '${hashOf(script)}'; connect-src 'self'; form-action 'none'`;
  response.setHeader(
    'content-security-policy',
    `default-src 'none'; style-src '${styleHash}'; ${runs}; base-uri 'none'; frame-ancestors 'none'`,
  );
  response.setHeader('referrer-policy', 'no-referrer');
  response.setHeader('cache-control', 'no-store');
  response.setHeader('x-robots-tag', 'noindex');
  const page = html`<!doctype html><html lang="${language}" dir="${words.direction}"><head><meta charset="utf-8"><title>${title}</title><meta name="viewport" content="width=device-width, initial-scale=1"><style>${{ html: style }}</style></head><body><main>${content}</main>${script === undefined ? '' : { html: `<script>${script}</script>` }}</body></html>`;
  response.type('html').send(page.html);
}
