import { createHash } from 'node:crypto';
import { z } from 'zod';

/** Somebody with an account at a provider, as whoever tries it out has chosen. */
export interface Stranger {
  id: string;
  name: string;
  email: string;
  verified: boolean;
}

/** Who is there to be picked. */
const known = [
  { name: 'Ana Example', email: 'ana@example.test', verified: true },
  { name: 'Ben Example', email: 'ben@example.test', verified: true },
  { name: 'Unproved Example', email: 'unproved@example.test', verified: false },
];

const Picked = z.object({
  name: z.string().max(100).default(''),
  email: z.email().max(254),
  verified: z.enum(['yes', 'no']).default('no'),
});

/** The same address is the same account, at each provider another one. */
export function picked(provider: string, form: unknown): Stranger {
  const { name, email, verified } = Picked.parse(form);
  const digest = createHash('sha256').update(`${provider} ${email.toLowerCase()}`).digest();
  return { id: String(digest.readUIntBE(0, 6)), name, email, verified: verified === 'yes' };
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escape = (text: string) => text.replaceAll(/[&<>"']/g, (character) => entities[character] as string);

/** Where one picks who one is; the form comes back to the same address. */
export function pickPage(provider: string): string {
  const buttons = known.map(
    ({ name, email, verified }) =>
      `<form method="post"><input type="hidden" name="name" value="${escape(name)}"><input type="hidden" name="email" value="${escape(email)}"><input type="hidden" name="verified" value="${verified ? 'yes' : 'no'}"><button>${escape(name)}, ${escape(email)}${verified ? '' : ' (not verified)'}</button></form>`,
  );
  return page(
    `Sign in at the ${provider} sandbox`,
    `<p>Nobody proves anything here: pick who you are.</p>${buttons.join('')}
<h2>Somebody else</h2><form method="post"><label>Name <input name="name"></label> <label>Address <input name="email" type="email" required></label> <label><input type="checkbox" name="verified" value="yes" checked> verified</label> <button>Sign in</button></form>
<form method="post"><input type="hidden" name="deny" value="yes"><button>Say no</button></form>`,
  );
}

export const page = (title: string, body: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escape(title)}</title><style>:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem}form{margin:.5rem 0}button{font:inherit;padding:.4rem .8rem}code{overflow-wrap:anywhere}</style><h1>${escape(title)}</h1>${body}</html>`;
