import assert from 'node:assert/strict';
import type { ConversationId } from '../../contracts/ids.ts';
import type { MailedConversation } from '../../db/queries/mailed.ts';
import { renderEmail } from '../../domain/attention/render-email.ts';
import { languageNames, wordingFor } from '../../domain/wording/index.ts';
import { expectSnapshot } from '../support/snapshot.ts';

const line = (seq: number, senderName: string, text: string) => ({ seq, senderName, text });
const told = (more: Partial<MailedConversation> = {}): MailedConversation => ({
  conversationId: 'c1' as ConversationId,
  kind: 'group',
  name: 'Ops',
  count: 1,
  messages: [line(7, 'Ana', 'The server room is on fire')],
  earlier: [],
  unread: 1,
  ...more,
});
const links = {
  to: (id: string) => `https://homing.test/o/${id}/7?n=a1`,
  unsubscribe: 'https://homing.test/unsubscribe/u',
  preferences: 'https://homing.test/preferences/p',
  why: 'https://homing.test/why/p',
};
const render = (conversations: MailedConversation[], { locale = 'en', summary = false } = {}) =>
  renderEmail(conversations, links, wordingFor(locale), { summary });

/** What stood before, more than is shown, and one of two. */
const several = [
  told({
    count: 24,
    messages: Array.from({ length: 10 }, (_, n) => line(7 + n, 'Ana', `message ${n}`)),
    earlier: [line(5, 'Bob', 'Is it warm in there?'), line(6, 'Ana', 'One moment.\nI look.')],
    unread: 30,
  }),
  told({
    conversationId: 'c2' as ConversationId,
    kind: 'direct',
    name: 'Cleo',
    messages: [line(1, 'Cleo', 'hi')],
    unread: 3,
  }),
];

describe('a mail about what is unread', () => {
  for (const locale of languageNames)
    for (const [kind, summary] of [
      ['digest', false],
      ['summary', true],
    ] as const)
      it(`reads in ${locale} as a ${kind}`, () => {
        const { subject, text, html } = render(several, { locale, summary });
        expectSnapshot(`mail-${kind}-${locale}`, `${subject}\n\n${text}\n${html}\n`);
      });

  it('says in its plain text all that its HTML says, and where to turn', () => {
    const { text } = render(several);
    for (const part of ['Ops', 'Ana: message 9', 'and 14 more', '> Bob: Is it warm in there?', '> I look.', 'Cleo: hi'])
      assert.ok(text.includes(part), part);
    for (const link of [links.to('c1'), links.to('c2'), links.unsubscribe, links.preferences, links.why])
      assert.ok(text.includes(link));
    assert.ok(!text.includes('message 10'));
  });

  it('marks what stood before as such, and shows none where nothing did', () => {
    assert.match(render(several).html, /<small>Earlier<\/small><p><b><bdi>Bob/);
    assert.ok(!render([told()]).html.includes('Earlier'));
    assert.ok(!render([told()]).text.includes('>'));
  });

  it('is called after its one conversation, or after how many there are', () => {
    assert.equal(render([told()]).subject, '1 new message in Ops');
    assert.equal(render([told({ kind: 'channel', name: 'News', count: 3 })]).subject, '3 new messages in News');
    assert.equal(render([told({ kind: 'direct', name: 'Ana' })]).subject, '1 new message from Ana');
    assert.equal(render(several).subject, '25 new messages in 2 conversations');
    assert.equal(render(several, { summary: true }).subject, '33 unread messages are waiting for you');
  });

  it('shows of a conversation of which everything was told only how much waits', () => {
    const { text } = render([told({ count: 0, messages: [], unread: 12 })], { summary: true });
    assert.match(text, /Ops\n12 unread messages\nhttps/);
    assert.ok(!/and \d+ more/.test(text));
  });

  it('takes nothing that people write for markup, for a header or for a change of direction', () => {
    const nasty = '<b>\u202eevil\u0007</b>\r\nBcc: eve@example.test';
    const { subject, html, text } = render([told({ name: nasty, messages: [line(7, nasty, nasty)] })]);
    assert.ok(!html.includes('<b>\u202e') && !html.includes('<b>evil'), html);
    assert.ok(html.includes('&lt;b&gt;evil&lt;/b&gt;'), html);
    for (const part of [subject, html, text]) assert.ok(!/[\u202e\u0007\r]/.test(part));
    assert.ok(!subject.includes('\n'));
  });
});
