export const page = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Provider sandbox</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="/inbox.css"></head>
<body>
<header><h1>Provider sandbox</h1><p>Nothing leaves this machine.</p>
<label>Recipient <input id="to" type="search" placeholder="all" autocomplete="off"></label>
<button id="clear" type="button">Clear</button></header>
<main>
<section aria-labelledby="push-title"><h2 id="push-title">Phones</h2><div id="push" aria-live="polite"></div></section>
<section aria-labelledby="email-title"><h2 id="email-title">Mail</h2><div id="email" aria-live="polite"></div></section>
<section aria-labelledby="sms-title"><h2 id="sms-title">Texts</h2><div id="sms" aria-live="polite"></div></section>
</main>
<section class="requests" aria-labelledby="requests-title"><h2 id="requests-title">Refused and failed calls</h2><div id="requests"></div></section>
<script src="/inbox.js"></script></body></html>`;

export const style = `
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --red: #c33; }
* { box-sizing: border-box; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 0; }
header { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: baseline; padding: .75rem 1rem; border-bottom: 1px solid var(--line); }
h1 { font-size: 1.1rem; margin: 0; } header p { margin: 0; opacity: .7; } header label { margin-left: auto; }
input, button { font: inherit; padding: .2rem .5rem; max-width: 100%; }
main { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 1rem; padding: 1rem; }
@media (max-width: 900px) { main { grid-template-columns: minmax(0, 1fr); } header label { margin-left: 0; } }
h2 { font-size: .95rem; margin: 0 0 .5rem; }
article { border: 1px solid var(--line); border-radius: .6rem; padding: .6rem .75rem; margin-bottom: .6rem; background: var(--soft); overflow-wrap: anywhere; }
article .meta { font-size: .8rem; opacity: .7; } article b { display: block; } article p { margin: .2rem 0; white-space: pre-wrap; }
details { font-size: .8rem; } pre { overflow: auto; max-height: 16rem; } iframe { width: 100%; height: 12rem; border: 1px solid var(--line); background: white; }
.requests { padding: 0 1rem 1rem; } .refused { color: var(--red); font-family: ui-monospace, monospace; font-size: .8rem; overflow-wrap: anywhere; }
.empty { opacity: .5; }
`;

// Runs in the browser, as it is.
export const script = `
const items = new Map();
const refused = [];
const to = document.querySelector('#to');
const element = (name, text, className) => {
  const node = document.createElement(name);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
};
function card(item) {
  const article = element('article');
  const about = [new Date(item.receivedAt).toLocaleTimeString(), 'to ' + item.to];
  if (item.badge !== undefined) about.push('badge ' + item.badge);
  if (item.segments) about.push(item.segments + ' segment' + (item.segments > 1 ? 's' : '') + ', ' + item.encoding);
  article.append(element('b', item.title), element('p', item.text));
  if (item.html) {
    const frame = element('iframe');
    frame.setAttribute('sandbox', '');
    frame.title = 'The mail as HTML';
    frame.srcdoc = item.html;
    const shown = element('details');
    shown.append(element('summary', 'as HTML'), frame);
    article.append(shown);
  }
  const raw = element('details');
  raw.append(element('summary', 'attempt ' + (item.attemptId ?? 'unknown')), element('pre', JSON.stringify(item, null, 2)));
  article.append(element('div', about.join(' · '), 'meta'), raw);
  return article;
}
// On a phone a push replaces the one with the same collapse key.
function shown(channel) {
  const wanted = [...items.values()].filter((item) => item.channel === channel && (!to.value || item.to.includes(to.value)));
  if (channel !== 'push') return wanted.reverse();
  const screens = new Map();
  for (const item of wanted) {
    const place = item.to + ' ' + (item.collapseKey ?? item.id);
    screens.delete(place);
    screens.set(place, item);
  }
  return [...screens.values()].reverse();
}
function draw() {
  for (const channel of ['push', 'email', 'sms']) {
    const cards = shown(channel).slice(0, 100).map(card);
    document.querySelector('#' + channel).replaceChildren(...(cards.length ? cards : [element('p', 'nothing yet', 'empty')]));
  }
  const lines = refused.slice(-50).reverse().map((r) => element('div', [r.at, r.provider, r.method, r.path, r.status, r.to ?? ''].join(' '), 'refused'));
  document.querySelector('#requests').replaceChildren(...(lines.length ? lines : [element('p', 'none', 'empty')]));
}
const isRefused = (request) => typeof request.status !== 'number' || request.status >= 400;
async function load() {
  for (const item of (await (await fetch('/inbox.json')).json()).items) items.set(item.id, item);
  refused.push(...(await (await fetch('/requests.json')).json()).requests.filter(isRefused));
  draw();
}
const events = new EventSource('/events');
events.addEventListener('item', ({ data }) => { const item = JSON.parse(data); items.set(item.id, item); draw(); });
events.addEventListener('request', ({ data }) => { const request = JSON.parse(data); if (isRefused(request)) { refused.push(request); draw(); } });
events.addEventListener('clear', () => { items.clear(); refused.length = 0; draw(); });
document.querySelector('#clear').addEventListener('click', () => fetch('/clear', { method: 'POST' }));
to.addEventListener('input', draw);
load();
`;
