import { isOwnMachine } from './own-machine.ts';
import { inboundForm, optOutType } from './sms-events.ts';
import type { Item } from './store.ts';
import type { World } from './world.ts';

/** Milliseconds for one link of a mail. */
const linkMs = 10_000;
/** Links of a mail that a scanner opens at most. */
const maxLinks = 50;

/** What a link or a one-click unsubscribe was answered; `skipped`: it leads off this machine. */
export interface Visit {
  url: string;
  status: number | 'unreachable' | 'skipped';
}

/** The person answers a text or a mail; the provider hands it on, signed as it signs. */
export async function reply(world: World, item: Item, text: string): Promise<void> {
  const { store, webhooks, ids, suppressions } = world;
  store.happened(item, 'reply', {}, text);
  const common = { items: [item], events: ['reply'] };
  if (item.channel === 'email') {
    const parts = inboundMail(item, text);
    return webhooks.tell({ ...common, kind: 'parse', target: 'sendGridInbound', content: { parts } });
  }
  const type = optOutType(text);
  if (type === 'STOP') suppressions.stop(item.to);
  if (type === 'START') suppressions.start(item.to);
  const form = inboundForm(item, text, `SM${ids.hex()}`);
  return webhooks.tell({ ...common, kind: 'inbound', target: 'twilioInbound', content: { form } });
}

/** The fields of SendGrid's inbound parse. */
function inboundMail({ to, from, title, headers = {} }: Item, text: string): Record<string, string> {
  const recipient = headers['Reply-To'] ?? from ?? '';
  const subject = /^re:/i.test(title) ? title : `Re: ${title}`;
  const lines = [`From: ${to}`, `To: ${recipient}`, `Subject: ${subject}`];
  const id = headers['Message-ID'];
  if (id) lines.push(`In-Reply-To: ${id}`, `References: ${id}`);
  return {
    headers: lines.join('\n'),
    ...{ from: to, to: recipient, subject, text, html: '', attachments: '0', spam_score: '0.1' },
    envelope: JSON.stringify({ to: [recipient], from: to }),
    charsets: JSON.stringify({ to: 'UTF-8', subject: 'UTF-8', from: 'UTF-8', text: 'UTF-8' }),
    ...{ SPF: 'pass', dkim: `{@${to.split('@')[1] ?? ''} : pass}`, sender_ip: '192.0.2.1' },
  };
}

/** What a mailbox provider does when the person presses its button (RFC 8058): a POST without cookies or redirects. */
export async function unsubscribe(world: World, item: Item): Promise<Visit | undefined> {
  const header = Object.entries(item.headers ?? {}).find(([name]) => name.toLowerCase() === 'list-unsubscribe')?.[1];
  const url = /<(https?:[^>]+)>/.exec(header ?? '')?.[1];
  if (url === undefined) return undefined;
  const body = new URLSearchParams({ 'List-Unsubscribe': 'One-Click' });
  const visit = await open(url, { method: 'POST', body });
  world.store.happened(item, `one-click unsubscribe: ${visit.status}`);
  return visit;
}

/** What security gateways do: they open each link, before the person sees the mail. */
export async function scan(world: World, item: Item): Promise<Visit[]> {
  const visits: Visit[] = [];
  for (const url of linksOf(item)) visits.push(await open(url, { method: 'GET' }));
  world.store.happened(item, `scanned: ${visits.length} links`);
  return visits;
}

function linksOf({ html = '', text, headers = {} }: Item): string[] {
  const inHtml = [...html.matchAll(/href\s*=\s*["'](https?:[^"']+)["']/gi)].map(([, url = '']) =>
    url.replaceAll('&amp;', '&'),
  );
  const inText = [...text.matchAll(/https?:\/\/[^\s<>"']+/g)].map(([url]) => url);
  const inHeaders = [
    ...Object.values(headers)
      .join(' ')
      .matchAll(/<(https?:[^>]+)>/g),
  ].map(([, url = '']) => url);
  return [...new Set([...inHtml, ...inText, ...inHeaders])].slice(0, maxLinks);
}

async function open(url: string, init: RequestInit): Promise<Visit> {
  if (!isOwnMachine(url)) return { url, status: 'skipped' };
  try {
    const response = await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(linkMs) });
    await response.body?.cancel();
    return { url, status: response.status };
  } catch {
    return { url, status: 'unreachable' };
  }
}
