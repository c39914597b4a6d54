import assert from 'node:assert/strict';
import { ApplicationFailure } from '@temporalio/common';
import type { SendNoticeInput } from '../../contracts/workflows/send-notice.ts';
import { scripted, tellStory } from '../support/story.ts';

describe('sendNotice, on a real server', () => {
  const noticeId = '0190a000-0000-7000-8000-000000000003';
  const { decide } = scripted({ kind: 'finished', outcome: 'read' });

  for (const input of [
    { noticeId, kind: 'password_forgotten', channel: 'email' },
    { noticeId, kind: 'password_changed', channel: 'sms' },
  ] satisfies SendNoticeInput[])
    it(`sends the one that it was started for: ${input.kind}`, async () => {
      const asked: SendNoticeInput[] = [];
      const sendNotice = async (request: SendNoticeInput) => (asked.push(request), 'sent' as const);
      await tellStory(
        { decide, sendNotice },
        async (story) => {
          assert.equal(await story.handle.result(), 'sent');
          await story.record(`notice-${input.kind.replace('password_', '')}`);
        },
        input,
      );
      assert.deepEqual(asked, [input]);
    });

  it('tries a failing provider again, and ends when it cannot be delivered', async () => {
    let tries = 0;
    const sendNotice = async () => {
      tries += 1;
      if (tries < 3) throw ApplicationFailure.create({ type: 'ProviderFailing', message: '503', nextRetryDelay: 20 });
      throw ApplicationFailure.nonRetryable('gone');
    };
    await tellStory(
      { decide, sendNotice },
      async (story) => {
        assert.equal(await story.handle.result(), 'undeliverable');
        await story.record('notice-undeliverable');
      },
      { noticeId, kind: 'password_changed', channel: 'email' },
    );
    assert.equal(tries, 3);
  });
}).timeout(20_000);
