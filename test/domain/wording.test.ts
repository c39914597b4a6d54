import assert from 'node:assert/strict';
import type { FactorNoticeKind } from '../../contracts/workflows/send-notice.ts';
import { type Words, languageNames, wordingFor } from '../../domain/wording/index.ts';
import { segmentsOf } from '../../sandbox/segments.ts';

const names = {
  ...{ sender: 'Ana', name: 'Ops', code: '123456', minutes: 10, address: 'a…@example.test', frequency: 'daily' },
  ...{ from: '1 May, 08:00', to: '1 May, 09:00', at: '1 May, 09:10', min: 15, max: 128 },
};
const counts = [0, 1, 2, 3, 11, 100, 10_000];
/** As long as the links are of a deployment with a long name. */
const link = `https://messages.a-long-name.example/o?n=${'0'.repeat(36)}`;
const sentences = ({ direction: _, ...parts }: Words): [string, string][] =>
  Object.entries(parts).flatMap(([part, words]) =>
    Object.entries(words).map(([name, text]): [string, string] => [`${part}.${name}`, text]),
  );

const factorTexts = ({ sms, account }: Words) =>
  (Object.keys(account) as (keyof typeof account)[]).flatMap((name) =>
    name in sms ? [sms[name as FactorNoticeKind]] : [],
  );

describe('the words of each language', () => {
  it('are found by the tag, then by what it begins with, then English', () => {
    const languageOf = (locale: string) => wordingFor(locale).language;
    assert.deepEqual(['de', 'de-AT', 'AR-eg', 'es-419', 'en-GB'].map(languageOf), ['de', 'de', 'ar', 'es', 'en']);
    assert.deepEqual(['fr', 'pt-BR', 'constructor'].map(languageOf), ['en', 'en', 'en']);
  });

  it('put names in as they are', () => {
    const { words, say } = wordingFor('en');
    const sender = "{count} <b>O'Neil</b> '#'";
    assert.equal(say(words.push.messageFrom, { sender }), `New message from ${sender}`);
  });

  for (const language of languageNames) {
    describe(language, () => {
      const { words, say } = wordingFor(language);

      it('say every sentence with every number, and leave no gap', () => {
        for (const [name, sentence] of sentences(words))
          for (const count of counts) {
            const said = say(sentence, { ...names, count, conversations: Math.max(2, count), link });
            assert.ok(said.trim() !== '' && !/[{}#]|undefined/.test(said), `${name} with ${count}: ${said}`);
          }
      });

      it('say one and two otherwise than many', () => {
        const said = counts.map((count) => say(words.push.messages, { count }));
        assert.equal(new Set(said).size, said.length, said.join(' / '));
      });

      it('make texts of as few segments as the letters allow', () => {
        const most = words.direction === 'rtl' ? 2 : 1;
        for (const sentence of [words.sms.messages, words.sms.messagesSeveral, words.sms.code, ...factorTexts(words)])
          for (const count of counts) {
            const text = say(sentence, { ...names, count, conversations: Math.max(2, count), link });
            const { encoding, segments } = segmentsOf(text);
            assert.ok(segments <= most && (most === 2 || encoding === 'GSM-7'), `${segments} ${encoding}: ${text}`);
          }
      });
    });
  }
});
