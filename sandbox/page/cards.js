import { button, details, element, pre, time } from './dom.js';

/** Dollars of one segment, as Twilio asks in the United States with the carrier's fee; only to see the order of it. */
const dollarsPerSegment = 0.0113;

async function post(path, body = {}) {
  const response = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer = await response.json().catch(() => ({}));
  return { ok: response.ok, answer };
}

/** A button that does something with an item, and says beside itself what came of it. */
function action(item, label, path, body) {
  const said = element('span', { className: 'said', role: 'status' });
  const press = async () => {
    said.textContent = '…';
    const { ok, answer } = await post(`/items/${item.id}/${path}`, body);
    const problem = (answer.errors ?? []).map(({ path: field, message }) => `${field} ${message}`).join('; ');
    const visits = [answer.visit, ...(answer.visits ?? [])].filter((visit) => visit);
    said.textContent = ok
      ? visits.map(({ url, status }) => `${status} ${url}`).join(', ') || 'done'
      : problem || 'failed';
  };
  return element('span', {}, [button(label, press), said]);
}

const chip = (status) => element('span', { className: `chip ${/^[\w-]+$/.test(status) ? status : ''}`, text: status });

/** How the message was asked for, what was answered, and what was told of it. */
function traces({ item, calls, callbacks }) {
  const shown = [
    details(
      'Request and answer',
      calls.map((call) => pre(call)),
    ),
    details(
      `Callbacks (${callbacks.length})`,
      callbacks.map((callback) => element('div', {}, [callbackLine(callback), pre(callback.body)])),
    ),
    details('Raw', [pre(item)]),
  ];
  const open = item.attemptId === null ? [element('span', { text: 'no attempt id' })] : [attemptLink(item.attemptId)];
  return element('div', { className: 'traces' }, [...open, ...shown]);
}

function attemptLink(attemptId) {
  const link = element('button', { type: 'button', className: 'attempt', text: `attempt ${attemptId}` });
  link.dataset.attempt = attemptId;
  return link;
}

const callbackLine = ({ at, kind, events, url, attempt, status, signature }) =>
  element('div', {
    className: status === 'unreachable' || status === 'dropped' || status >= 300 ? 'refused' : 'ok',
    text: `${time(at)} ${kind} ${events.join(', ')} → ${url} try ${attempt}: ${status}, signature ${signature}`,
  });

/** A lock screen: what it shows of each conversation is the latest. */
export function phone({ to, threads, silent, badge }) {
  const shown = threads.map((thread) =>
    element(
      'div',
      { className: 'thread' },
      thread.map((entry) => notification(entry)),
    ),
  );
  const title = element('div', { className: 'screen-title' }, [
    element('span', { className: 'recipient', text: to }),
    ...(badge === undefined
      ? []
      : [element('span', { className: 'badge', text: String(badge), 'aria-label': 'badge' })]),
  ]);
  const drawer = details(
    `Silent (${silent.length})`,
    silent.map((entry) => notification(entry)),
  );
  return element('article', { className: 'phone' }, [title, ...shown, ...(silent.length > 0 ? [drawer] : [])]);
}

const notification = (entry) =>
  element('div', { className: 'notification' }, [
    element('div', { className: 'meta', text: time(entry.item.receivedAt) }),
    element('b', { text: entry.item.title }),
    element('p', { text: entry.item.text }),
    traces(entry),
  ]);

export function mail(entry) {
  const { item } = entry;
  const parts = [details('Text', [element('p', { text: item.text })]), details('Headers', [pre(item.headers)])];
  if (item.html) parts.unshift(htmlFrame(item));
  return element('article', { className: 'mail' }, [
    element('div', { className: 'meta' }, [
      element('span', { className: 'recipient', text: item.to }),
      element('span', { text: `from ${item.from ?? '?'} · ${time(item.receivedAt)}` }),
      chip(item.status),
    ]),
    element('b', { text: item.title }),
    ...parts,
    element('div', { className: 'actions' }, [
      action(item, 'Unsubscribe', 'unsubscribe'),
      action(item, 'Scan links', 'scan'),
      action(item, 'Bounce', 'events', { event: 'bounce' }),
      action(item, 'Mark spam', 'events', { event: 'spamreport' }),
    ]),
    replyBox(item),
    traces(entry),
  ]);
}

/** The mail in a frame that may do nothing: it is served with a policy of its own, and the frame adds one. */
function htmlFrame(item) {
  const frame = element('iframe', { sandbox: '', title: 'The mail as HTML', loading: 'lazy' });
  const fold = details('HTML', [frame]);
  fold.addEventListener('toggle', () => fold.open && !frame.src && (frame.src = `/items/${item.id}/mail.html`));
  return fold;
}

export function smsThread({ to, entries, optedOut }) {
  const bubbles = entries.flatMap((entry) => [outgoing(entry), ...replies(entry.item)]);
  const { item } = entries.at(-1);
  return element('article', { className: 'sms' }, [
    element('div', { className: 'meta' }, [
      element('span', { className: 'recipient', text: to }),
      ...(optedOut ? [chip('stopped')] : []),
    ]),
    ...bubbles,
    element(
      'div',
      { className: 'actions' },
      ['STOP', 'START', 'HELP'].map((word) => action(item, word, 'reply', { text: word })),
    ),
    replyBox(item),
  ]);
}

function outgoing(entry) {
  const { item } = entry;
  const cost = (item.segments * dollarsPerSegment).toFixed(4);
  const size = `${item.segments} segment${item.segments === 1 ? '' : 's'}, ${item.encoding}, about $${cost}`;
  return element('div', { className: 'bubble' }, [
    element('p', { text: item.text }),
    element('div', { className: 'meta' }, [
      element('span', { text: `${time(item.receivedAt)} · ${size}` }),
      chip(item.status),
    ]),
    traces(entry),
  ]);
}

const replies = ({ events }) =>
  events
    .filter(({ event }) => event === 'reply')
    .map(({ text, at }) =>
      element('div', { className: 'bubble mine' }, [
        element('p', { text: text ?? '' }),
        element('div', { className: 'meta', text: time(at) }),
      ]),
    );

function replyBox(item) {
  const input = element('input', { placeholder: 'Reply', 'aria-label': `Reply to ${item.id}`, maxlength: '1600' });
  const form = element('form', { className: 'reply' }, [input, element('button', { text: 'Send' })]);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (input.value === '') return;
    void post(`/items/${item.id}/reply`, { text: input.value });
    input.value = '';
  });
  return form;
}

export const failed = ({ request }) =>
  element('div', {
    className: 'refused',
    text: [time(request.at), request.provider, request.method, request.path, request.status, request.to ?? ''].join(
      ' ',
    ),
  });

/** One line of an attempt's story: asked, happened or told. */
export function moment({ at, words, body }) {
  const line = element('span', { text: `${new Date(at).toLocaleString()} ${words}` });
  return element('li', {}, body === undefined ? [line] : [line, details('more', [pre(body)])]);
}
