import { failed, mail, moment, phone, smsThread } from './cards.js';
import { show } from './dom.js';

/** Cards of one column at most. */
const most = 100;
const records = { items: new Map(), requests: new Map(), callbacks: new Map() };
const at = (selector) => document.querySelector(selector);
const to = at('#to');
let attempt;

const isFailed = ({ status }) => typeof status !== 'number' || status >= 400;
const isWanted = ({ to: recipient }) => to.value === '' || (recipient ?? '').includes(to.value);
// What comes live may overtake the list that is fetched when the page opens.
const all = (kind) => [...records[kind].values()].sort((one, other) => one.seq - other.seq);
const ofChannel = (channel) => all('items').filter((item) => item.channel === channel && isWanted(item));

const byItem = { requests: new Map(), callbacks: new Map() };

/** Looked up once for a whole screen: of each list there may be thousands. */
function indexTraces() {
  for (const [kind, index] of Object.entries(byItem)) {
    index.clear();
    for (const record of all(kind)) for (const id of record.itemIds) index.set(id, [...(index.get(id) ?? []), record]);
  }
}

/** An item with how it was asked for and what was told of it. */
const withTraces = (item) => ({
  key: item.id,
  item,
  calls: byItem.requests.get(item.id) ?? [],
  callbacks: byItem.callbacks.get(item.id) ?? [],
});

const byRecipient = (items) => [...Map.groupBy(items, ({ to: recipient }) => recipient)].reverse().slice(0, most);

/** What a silent push takes down: of each conversation whatever is no newer than what was read of it. */
function cleared({ data = {} }) {
  if (data.kind !== 'clear') return [];
  try {
    return JSON.parse(data.conversations ?? '');
  } catch {
    return [{ tag: data.tag, throughSeq: Infinity }];
  }
}

/** What one phone shows: a push replaces the one with its collapse key; a silent one that clears takes it away. */
function screen([recipient, items]) {
  const shown = new Map();
  for (const item of items) {
    const place = item.collapseKey ?? item.data?.tag ?? item.id;
    if (!item.silent) {
      shown.delete(place);
      shown.set(place, item);
    }
    for (const { tag, throughSeq } of item.silent ? cleared(item) : [])
      if (Number(shown.get(tag)?.data?.seq ?? 0) <= throughSeq) shown.delete(tag);
  }
  const threads = Map.groupBy([...shown.values()].reverse(), (item) => item.threadId ?? item.collapseKey ?? item.id);
  return {
    key: recipient,
    to: recipient,
    badge: items.findLast(({ badge }) => badge !== undefined)?.badge,
    threads: [...threads.values()].map((thread) => thread.map(withTraces)),
    silent: items.filter(({ silent }) => silent).map(withTraces),
  };
}

function thread([recipient, items]) {
  const words = items.flatMap(({ events }) => events).filter(({ event }) => event === 'reply');
  const last = words.findLast(({ text }) => /^\s*(stop|start)\s*$/i.test(text ?? ''))?.text ?? '';
  return { key: recipient, to: recipient, entries: items.map(withTraces), optedOut: /stop/i.test(last) };
}

function draw() {
  indexTraces();
  column('phones', byRecipient(ofChannel('push')).map(screen), phone);
  column('mail', ofChannel('email').reverse().slice(0, most).map(withTraces), mail);
  column('texts', byRecipient(ofChannel('sms')).map(thread), smsThread);
  const calls = all('requests').filter((request) => isFailed(request) && isWanted(request));
  column(
    'failed',
    calls.reverse().map((request) => ({ key: String(request.seq), request })),
    failed,
  );
  drawTimeline();
}

function column(name, entries, make) {
  at(`#${name}-count`).textContent = entries.length > 0 ? String(entries.length) : '';
  show(at(`#${name} .list`), entries.slice(0, most), make, 'nothing yet');
}

/** Everything about one attempt, in the order in which it was. */
function drawTimeline() {
  at('#timeline').hidden = attempt === undefined;
  if (attempt === undefined) return;
  at('#timeline-title').textContent = `Timeline of attempt ${attempt}`;
  const items = all('items').filter(({ attemptId }) => attemptId === attempt);
  const moments = [
    ...all('requests')
      .filter(({ attemptId }) => attemptId === attempt)
      .map((call) => ({
        at: call.at,
        words: `asked ${call.provider}: ${call.method} ${call.path} → ${call.status}`,
        body: call,
      })),
    ...items.map(({ receivedAt, provider }) => ({ at: receivedAt, words: `${provider} took it` })),
    ...items.flatMap(({ events }) =>
      events.map(({ event, at: when, text }) => ({ at: when, words: `${event} ${text ?? ''}` })),
    ),
    ...all('callbacks')
      .filter(({ attemptIds }) => attemptIds.includes(attempt))
      .map((told) => ({
        at: told.at,
        words: `told ${told.events.join(', ')}, try ${told.attempt} → ${told.status}`,
        body: told,
      })),
  ];
  const sorted = moments.sort((one, other) => one.at.localeCompare(other.at));
  show(
    at('#timeline .list'),
    sorted.map((one, index) => ({ key: String(index), ...one })),
    moment,
    'nothing yet',
  );
}

// However much comes at once, the screen is drawn once.
let isDue = false;
function drawSoon() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    draw();
  });
}

const keep = (kind, record) => records[kind].set(record.seq, record);

async function load() {
  const lists = { items: '/inbox.json', requests: '/requests.json', callbacks: '/callbacks.json' };
  for (const [kind, path] of Object.entries(lists))
    for (const record of (await (await fetch(path)).json())[kind])
      if (!records[kind].has(record.seq)) keep(kind, record);
  drawSoon();
}

function listen() {
  const events = new EventSource('/events');
  // What came while it was away is fetched; so is what came before.
  events.addEventListener('open', () => void load());
  for (const kind of Object.keys(records))
    events.addEventListener(kind, ({ data }) => {
      keep(kind, JSON.parse(data));
      drawSoon();
    });
  events.addEventListener('clear', () => {
    for (const list of Object.values(records)) list.clear();
    attempt = undefined;
    drawSoon();
  });
}

async function clock(change) {
  const options = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(change) };
  const { now, stands } = await (await fetch('/clock', change ? options : {})).json();
  at('#clock').textContent = `${new Date(now).toLocaleString()}${stands ? ' (stands)' : ''}`;
}

const hourMs = 3_600_000;
at('#hour').addEventListener('click', () => void clock({ advanceMs: hourMs }));
at('#day').addEventListener('click', () => void clock({ advanceMs: 24 * hourMs }));
at('#clear').addEventListener('click', () => void fetch('/clear', { method: 'POST' }));
at('#close').addEventListener('click', () => {
  attempt = undefined;
  draw();
});
to.addEventListener('input', drawSoon);
document.addEventListener('click', ({ target }) => {
  const chosen = target.closest?.('[data-attempt]')?.dataset.attempt;
  if (chosen === undefined) return;
  attempt = chosen;
  draw();
  at('#timeline').scrollIntoView({ block: 'nearest' });
});
listen();
void clock();
setInterval(() => void clock(), 30_000);
