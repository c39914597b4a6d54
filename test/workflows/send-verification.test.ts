import assert from 'node:assert/strict';
import { ApplicationFailure } from '@temporalio/common';
import type { SendVerificationInput } from '../../contracts/workflows/send-verification.ts';
import { scripted, tellStory, userId } from '../support/story.ts';

describe('sendVerification, on a real server', () => {
  const input: SendVerificationInput = {
    userId,
    verificationId: '0190a000-0000-7000-8000-000000000002',
    channel: 'sms',
  };
  const { decide } = scripted({ kind: 'finished', outcome: 'read' });

  it('sends the code of the request that it was started for', async () => {
    const asked: SendVerificationInput[] = [];
    const sendCode = async (request: SendVerificationInput) => (asked.push(request), 'sent' as const);
    await tellStory(
      { decide, sendCode },
      async (story) => {
        assert.equal(await story.handle.result(), 'sent');
        await story.record('verification-sent');
      },
      input,
    );
    assert.deepEqual(asked, [input]);
  });

  it('tries a failing provider again', async () => {
    let tries = 0;
    const sendCode = async () => {
      tries += 1;
      if (tries < 3) throw ApplicationFailure.create({ type: 'ProviderFailing', message: '503', nextRetryDelay: 20 });
      return 'sent' as const;
    };
    await tellStory(
      { decide, sendCode },
      async (story) => {
        assert.equal(await story.handle.result(), 'sent');
        await story.record('verification-retried');
      },
      input,
    );
    assert.equal(tries, 3);
  });

  it('ends when the code cannot be delivered', async () => {
    const sendCode = async () => {
      throw ApplicationFailure.nonRetryable('gone');
    };
    await tellStory(
      { decide, sendCode },
      async (story) => {
        assert.equal(await story.handle.result(), 'undeliverable');
        await story.record('verification-undeliverable');
      },
      input,
    );
  });
}).timeout(20_000);
