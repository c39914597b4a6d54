import assert from 'node:assert/strict';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure, defineSearchAttributeKey } from '@temporalio/common';
import type {
  DecideInput,
  NotifyInput,
  NotifyResult,
  OperatorAnswer,
  Plan,
} from '../../contracts/workflows/escalate-unread.ts';
import type { Channel, Urgency } from '../../contracts/workflows/names.ts';
import { until as eventually } from '../support/until.ts';
import { type Story, notifyPlan, scripted, tellStory, until } from '../support/story.ts';

const finished = { kind: 'finished' as const, outcome: 'read' as const };
const spent = { kind: 'finished' as const, outcome: 'every-step-spent' as const };
const waitFor = (next: 'push' | 'email' | 'sms' | 'operator', ms: number) => () => ({
  kind: 'wait' as const,
  until: until(ms),
  next,
  why: 'step_delay',
});
const stuck: NotifyResult = { result: 'stuck', reason: 'provider_configuration', code: 'UNAUTHENTICATED' };
const NeedsAttention = defineSearchAttributeKey('NeedsAttention', 'BOOL');
const AttentionReason = defineSearchAttributeKey('AttentionReason', 'KEYWORD');

describe('escalateUnread, on a real server', () => {
  const update = (story: Story, name: string, request: object): Promise<OperatorAnswer> =>
    story.handle.executeUpdate(name, { args: [request] });
  const attributes = async (story: Story) => {
    // A query is answered once the workflow's present task is through: what it set is known to the server then.
    if ((await story.handle.describe()).status.name === 'RUNNING') await story.handle.query('__stack_trace');
    const { typedSearchAttributes } = await story.handle.describe();
    return [typedSearchAttributes.get(NeedsAttention), typedSearchAttributes.get(AttentionReason)];
  };
  /** A notify that is stuck until it is asked again, and tells when it was first asked. */
  const stuckOnce = () => {
    const first = Promise.withResolvers<void>();
    const inputs: NotifyInput[] = [];
    const notify = async (_channel: string, input: NotifyInput): Promise<NotifyResult> => {
      inputs.push(input);
      first.resolve();
      return input.again ? { result: 'sent' } : stuck;
    };
    return { notify, inputs, asked: first.promise };
  };
  /** Stuck on the push, then waiting for a person; once nothing is stuck any more it ends. */
  const stuckStory = (giveUpMs?: number) => {
    const asked: string[][] = [];
    const waiting = Promise.withResolvers<void>();
    const decide = async (input: DecideInput) => {
      asked.push([...input.stuck.map(({ channel }) => channel), '|', ...input.struckOff]);
      if (asked.length === 1) return notifyPlan('push', giveUpMs);
      if (input.closed) return { kind: 'finished' as const, outcome: 'closed-by-operator' as const };
      // As the true decision: it does not end while a step is under way.
      if (input.underWay.length > 0) return waitFor('push', 60_000)();
      if (input.stuck.length === 0) return spent;
      waiting.resolve();
      return waitFor('operator', 60_000)();
    };
    return { decide, asked, waiting: waiting.promise };
  };

  it('does what is due, waits for what is not, and ends when it is told', async () => {
    const { decide, asked } = scripted(notifyPlan('push'), waitFor('email', 100), notifyPlan('email'), finished);
    const done: string[] = [];
    const notify = async (channel: string, input: NotifyInput): Promise<NotifyResult> => {
      done.push(`${channel} ${input.attemptId}`);
      return { result: 'sent' };
    };
    await tellStory({ decide, notify }, async (story) => {
      assert.equal(await story.handle.result(), 'read');
      await story.record('push-then-email-then-read');
    });
    assert.deepEqual(done, ['push attempt-push', 'email attempt-email']);
    assert.ok(asked.every(({ userId, episode, workflowId, runId }) => userId && episode === 1 && workflowId && runId));
  });

  it('asks each provider with the urgency of what is told', async () => {
    const told = (channel: Channel, urgency: Urgency) => ({ ...notifyPlan(channel), urgency }) as Plan;
    const { decide } = scripted(told('push', 'urgent'), told('sms', 'ordinary'), told('email', 'gathered'), finished);
    const asked = new Map<string, number | undefined>();
    const notify = async (channel: string): Promise<NotifyResult> => {
      asked.set(channel, activityInfo().priority?.priorityKey);
      return { result: 'sent' };
    };
    await tellStory({ decide, notify }, (story) => story.handle.result());
    assert.deepEqual(Object.fromEntries(asked), { push: 1, sms: 3, email: 5 });
  });

  it('looks again at once when it is nudged, however often', async () => {
    const waiting = Promise.withResolvers<void>();
    const { decide } = scripted(() => (waiting.resolve(), waitFor('email', 3_600_000)()), finished);
    await tellStory({ decide }, async (story) => {
      await waiting.promise;
      await Promise.all([story.nudge(), story.nudge(), story.nudge()]);
      assert.equal(await story.handle.result(), 'read');
      await story.record('nudged-then-read');
    });
  });

  it('goes on after a step that cannot reach the person', async () => {
    const { decide } = scripted(notifyPlan('push'), notifyPlan('email'), spent);
    const notify = async (channel: string): Promise<NotifyResult> =>
      channel === 'push' ? { result: 'unreachable', reason: 'UNREGISTERED' } : { result: 'sent' };
    await tellStory({ decide, notify }, async (story) => {
      assert.equal(await story.handle.result(), 'every-step-spent');
      await story.record('unreachable-push');
    });
  });

  it('tries a failing provider again, as soon as the provider wishes, with the same attempt', async () => {
    const { decide } = scripted(notifyPlan('push'), finished);
    const attempts: string[] = [];
    const notify = async (_channel: string, { attemptId }: NotifyInput): Promise<NotifyResult> => {
      attempts.push(attemptId);
      if (attempts.length < 3)
        throw ApplicationFailure.create({ type: 'ProviderFailing', message: '503', nextRetryDelay: 10 });
      return { result: 'sent' };
    };
    await tellStory({ decide, notify }, async (story) => {
      assert.equal(await story.handle.result(), 'read');
      await story.record('retried-push');
    });
    assert.deepEqual(attempts, ['attempt-push', 'attempt-push', 'attempt-push']);
  });

  it('waits by a timer for a provider that is out of order, and tries the same attempt then; reading ends that', async () => {
    const attempts: string[] = [];
    const asked: string[][] = [];
    const waiting = Promise.withResolvers<void>();
    let read = false;
    const decide = async ({ underWay }: DecideInput) => {
      asked.push([...underWay]);
      if (asked.length === 1) return notifyPlan('push');
      return read ? finished : waitFor('email', 60_000)();
    };
    const notify = async (_channel: string, { attemptId, again }: NotifyInput): Promise<NotifyResult> => {
      attempts.push(`${attemptId} ${again}`);
      if (attempts.length === 3) waiting.resolve();
      return { result: 'deferred', until: until(attempts.length < 3 ? 0 : 3_600_000) };
    };
    await tellStory({ decide, notify }, async (story) => {
      await waiting.promise;
      await eventually(
        () => details(story),
        (text) => /The provider of \*\*push\*\* is out of order\. It is asked again at/.test(text),
      );
      read = true;
      await story.nudge();
      assert.equal(await story.handle.result(), 'read');
      await story.record('deferred-then-read');
    });
    assert.deepEqual(
      attempts,
      Array.from({ length: 3 }, () => 'attempt-push false'),
    );
    assert.ok(asked.length >= 4, 'what else is due is looked at anew when a step waits');
    assert.deepEqual(new Set(asked.slice(1).flat()), new Set(['push']));
  });

  it('reports a provider that keeps failing to a person, and goes on meanwhile', async () => {
    const { decide, asked, waiting } = stuckStory(200);
    const notify = async (_channel: string, { again }: NotifyInput): Promise<NotifyResult> => {
      if (again) return { result: 'sent' };
      throw ApplicationFailure.create({ type: 'ProviderFailing', message: '503' });
    };
    await tellStory({ decide, notify }, async (story) => {
      await waiting;
      assert.deepEqual(await attributes(story), [true, 'provider_failing']);
      await update(story, 'retry', { by: 'Olga' });
      assert.equal(await story.handle.result(), 'every-step-spent');
      await story.record('provider-failing-then-retry');
    });
    assert.deepEqual(asked[1], ['push', '|']);
  });

  it('does not take the wait in a provider’s queue for a failure of the provider', async () => {
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    const asked: DecideInput[] = [];
    const decide = async (input: DecideInput): Promise<Plan> => {
      asked.push(input);
      // Looked at again when the time for trying is long over: the queue is opened only now.
      if (asked.length === 1) return notifyPlan('push', 500, 1_500);
      open();
      return input.underWay.length > 0 ? waitFor('push', 60_000)() : spent;
    };
    await tellStory({ decide, opened }, async (story) => {
      assert.equal(await story.handle.result(), 'every-step-spent');
      await story.record('waited-in-the-queue');
    });
    assert.deepEqual(asked[1]?.underWay, ['push'], 'it stands in the queue');
    assert.deepEqual(
      asked.flatMap(({ stuck }) => stuck),
      [],
    );
  });

  it('asks nobody any more about a step of which it was told after all what became of it', async () => {
    const asked: string[][] = [];
    const waiting = Promise.withResolvers<void>();
    let told = false;
    const decide = async ({ stuck, underWay }: DecideInput): Promise<Plan> => {
      asked.push(stuck.map(({ attemptId }) => attemptId));
      if (asked.length === 1) return notifyPlan('push');
      if (underWay.length > 0) return waitFor('push', 60_000)();
      if (told) return asked.at(-1)?.length === 0 ? spent : { ...waitFor('email', 0)(), settled: ['attempt-push'] };
      waiting.resolve();
      return waitFor('operator', 60_000)();
    };
    await tellStory({ decide, notify: stuckOnce().notify }, async (story) => {
      await waiting.promise;
      assert.deepEqual(await attributes(story), [true, 'provider_configuration']);
      told = true;
      await story.nudge();
      assert.equal(await story.handle.result(), 'every-step-spent');
      assert.deepEqual(await attributes(story), [false, undefined]);
      await story.record('stuck-then-settled');
    });
    assert.deepEqual(asked.slice(-2), [['attempt-push'], []]);
  });

  it('is mended by retry: the same attempt is tried again, and nobody need look any more', async () => {
    const { decide, waiting } = stuckStory();
    const { notify, inputs } = stuckOnce();
    await tellStory({ decide, notify }, async (story) => {
      await waiting;
      assert.deepEqual(await attributes(story), [true, 'provider_configuration']);
      const answer = await update(story, 'retry', { by: 'Olga', channel: 'push', note: 'key renewed' });
      assert.deepEqual(answer, { done: true, message: 'push is tried again now' });
      assert.equal(await story.handle.result(), 'every-step-spent');
      assert.deepEqual(await attributes(story), [false, undefined]);
      await story.record('stuck-then-retry');
    });
    assert.deepEqual(
      inputs.map(({ attemptId, again }) => [attemptId, again]),
      [
        ['attempt-push', false],
        ['attempt-push', true],
      ],
    );
  });

  for (const [what, answer, said] of [
    ['it was read first', { result: 'not-needed', reason: 'read_before_send' }, /not tried again after all \(read_bef/],
    ['its episode ends', undefined, /not tried again after all \(read\)/],
  ] as const)
    it(`says that it did not try again what was to be, as ${what}`, async () => {
      const [waiting, pressed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const decide = async ({ stuck: known, underWay }: DecideInput): Promise<Plan> => {
        if (inputs.length === 0) return notifyPlan('push');
        if (known.length > 0) waiting.resolve();
        else if (underWay.length === 0 || answer === undefined) return finished;
        return waitFor('operator', 60_000)();
      };
      const inputs: NotifyInput[] = [];
      const notify = async (_channel: string, input: NotifyInput): Promise<NotifyResult> => {
        inputs.push(input);
        if (!input.again) return stuck;
        await pressed.promise;
        return answer ?? { result: 'not-needed', reason: 'unheard' };
      };
      await tellStory({ decide, notify }, async (story) => {
        await waiting.promise;
        await update(story, 'retry', { by: 'Olga' });
        pressed.resolve();
        assert.equal(await story.handle.result(), 'read');
        assert.match(await details(story), said);
      });
    });

  it('says that something urgent was sent in place of what was to be tried again', async () => {
    const [waiting, again] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const urgent = { ...notifyPlan('push'), attemptId: 'attempt-urgent', alert: 'urgent' } as Plan;
    const inputs: NotifyInput[] = [];
    let came = false;
    const decide = async ({ stuck: known, underWay, urgentUnderWay }: DecideInput): Promise<Plan> => {
      if (inputs.length === 0) return notifyPlan('push');
      if (known.length > 0) waiting.resolve();
      if (came && urgentUnderWay?.length === 0 && underWay.length > 0) return urgent;
      return came && underWay.length === 0 ? finished : waitFor('operator', 60_000)();
    };
    const notify = async (_channel: string, input: NotifyInput): Promise<NotifyResult> => {
      inputs.push(input);
      if (input.attemptId === 'attempt-urgent') return { result: 'sent' };
      if (!input.again) return stuck;
      again.resolve();
      throw ApplicationFailure.create({ type: 'ProviderFailing', message: '503', nextRetryDelay: 20_000 });
    };
    await tellStory({ decide, notify }, async (story) => {
      await waiting.promise;
      await update(story, 'retry', { by: 'Olga' });
      await again.promise;
      came = true;
      await story.nudge();
      assert.equal(await story.handle.result(), 'read');
      assert.match(
        await details(story),
        /push was not tried again after all \(something urgent was sent in its place\)/,
      );
    });
    assert.equal(inputs.at(-1)?.instead, 'attempt-push');
  });

  it('keeps what it was to take the place of, until that is taken', async () => {
    const waiting = Promise.withResolvers<void>();
    const step = { ...notifyPlan('push'), attemptId: 'attempt-urgent' } as Plan;
    const inputs: NotifyInput[] = [];
    const decide = async ({ stuck: known, underWay }: DecideInput): Promise<Plan> => {
      if (known.length > 0) waiting.resolve();
      if (known.length > 0 || underWay.length > 0) return waitFor('operator', 60_000)();
      return inputs.length > 0 ? finished : step;
    };
    const notify = async (_channel: string, input: NotifyInput): Promise<NotifyResult> => {
      inputs.push(input);
      return { result: 'sent' };
    };
    const carried = {
      stuck: [
        {
          ...{
            channel: 'push' as const,
            attemptId: 'attempt-urgent',
            conversationIds: ['c1'],
            instead: 'attempt-push',
          },
          ...{ reason: 'provider_failing', code: 'unavailable', since: until(0) },
        },
      ],
    };
    await tellStory(
      { decide, notify },
      async (story) => {
        await waiting.promise;
        await update(story, 'retry', { by: 'Olga' });
        assert.equal(await story.handle.result(), 'read');
      },
      { carried },
    );
    assert.deepEqual(
      inputs.map(({ attemptId, again, instead }) => [attemptId, again, instead]),
      [['attempt-urgent', true, 'attempt-push']],
    );
  });

  it('goes on without a step that is skipped', async () => {
    const { decide, asked, waiting } = stuckStory();
    await tellStory({ decide, notify: stuckOnce().notify }, async (story) => {
      await waiting;
      assert.equal((await update(story, 'skip', { by: 'Olga' })).done, true);
      assert.equal(await story.handle.result(), 'every-step-spent');
      await story.record('stuck-then-skip');
    });
    assert.deepEqual(asked.at(-1), ['|', 'attempt-push'], 'that step alone, and not its channel');
  });

  it('ends when it is closed, stuck or not', async () => {
    const { decide, waiting } = stuckStory();
    await tellStory({ decide, notify: stuckOnce().notify }, async (story) => {
      await waiting;
      assert.equal((await update(story, 'close', { by: 'Olga', note: 'left the company' })).done, true);
      assert.equal(await story.handle.result(), 'closed-by-operator');
      await story.record('stuck-then-close');
    });
  });

  it('takes a snooze: the step waits for its time', async () => {
    const { decide, waiting } = stuckStory();
    await tellStory({ decide, notify: stuckOnce().notify }, async (story) => {
      await waiting;
      const { message } = await update(story, 'snooze', { by: 'Olga', minutes: 30 });
      assert.match(message, /^push is tried again at \d{4}-/);
      assert.deepEqual(await attributes(story), [true, 'provider_configuration']);
      await update(story, 'close', { by: 'Olga' });
      await story.handle.result();
      await story.record('stuck-then-snooze');
    });
  });

  it('refuses what makes no sense, says why, and changes nothing', async () => {
    const { decide, waiting } = stuckStory();
    const refused = async (story: Story, name: string, request: unknown, why: RegExp) => {
      const error = await update(story, name, request as object).catch((thrown: unknown) => thrown);
      assert.ok(error instanceof WorkflowUpdateFailedError, `${name} ${JSON.stringify(request)} was accepted`);
      assert.match(error.cause?.message ?? '', why);
    };
    await tellStory({ decide, notify: stuckOnce().notify }, async (story) => {
      await waiting;
      await refused(story, 'retry', {}, /who you are/);
      await refused(story, 'retry', null, /who you are/);
      await refused(story, 'retry', { by: 'Olga', channel: 'email' }, /email is not stuck; stuck is push/);
      await refused(story, 'skip', { by: 'Olga', channel: 'pigeon' }, /one of push, email, sms/);
      await refused(story, 'snooze', { by: 'Olga' }, /whole number from 1/);
      await refused(story, 'snooze', { by: 'Olga', minutes: 0 }, /whole number from 1/);
      await refused(story, 'close', { note: 'nobody' }, /who you are/);
      assert.deepEqual(await attributes(story), [true, 'provider_configuration']);
      await update(story, 'skip', { by: 'Olga' });
      await story.handle.result();
    });
  });

  it('says that there is nothing to mend when nothing is stuck', async () => {
    const waiting = Promise.withResolvers<void>();
    const { decide } = scripted(() => (waiting.resolve(), waitFor('email', 3_600_000)()), finished);
    await tellStory({ decide }, async (story) => {
      await waiting.promise;
      const error = await update(story, 'retry', { by: 'Olga' }).catch((thrown: unknown) => thrown);
      assert.match((error as WorkflowUpdateFailedError).cause?.message ?? '', /nothing to mend/);
      await story.nudge();
      await story.handle.result();
    });
  });

  /** A step that fails for as long as it is asked, and how often it was asked. */
  const alwaysFailing = (channel: string) => {
    const tries: string[] = [];
    const first = Promise.withResolvers<void>();
    const notify = async (by: string): Promise<NotifyResult> => {
      tries.push(by);
      if (by !== channel) return { result: 'sent' };
      first.resolve();
      throw ApplicationFailure.create({ type: 'ProviderFailing', message: '503', nextRetryDelay: 20 });
    };
    return { notify, tries, failing: first.promise };
  };

  it('goes on with what is due on other channels while a provider fails', async () => {
    const { notify, tries } = alwaysFailing('push');
    const asked: string[][] = [];
    const decide = async ({ underWay }: DecideInput) => {
      asked.push([...underWay]);
      if (asked.length === 1) return notifyPlan('push', 30_000, 0);
      return tries.includes('email') ? finished : notifyPlan('email');
    };
    await tellStory({ decide, notify }, async (story) => {
      assert.equal(await story.handle.result(), 'read');
      await story.record('mail-beside-a-failing-push');
    });
    assert.deepEqual(asked.slice(0, 3), [[], ['push'], ['push']]);
    assert.equal(tries.filter((channel) => channel === 'email').length, 1);
  });

  it('lets what is urgent take the place of a step that is being tried', async () => {
    const { promise: failing, resolve: failed } = Promise.withResolvers<void>();
    const asked: DecideInput[] = [];
    const urgent = { ...notifyPlan('push'), attemptId: 'attempt-urgent', alert: 'urgent' } as Plan;
    const decide = async (input: DecideInput): Promise<Plan> => {
      asked.push(input);
      if (asked.length === 1) return notifyPlan('push', 30_000);
      if (asked.length === 2) return urgent;
      return input.underWay.length > 0 ? waitFor('push', 60_000)() : spent;
    };
    const tried: NotifyInput[] = [];
    const notify = async (_channel: string, input: NotifyInput): Promise<NotifyResult> => {
      tried.push(input);
      if (input.attemptId === 'attempt-urgent') return { result: 'sent' };
      failed();
      throw ApplicationFailure.create({ type: 'ProviderFailing', message: '503', nextRetryDelay: 20_000 });
    };
    await tellStory({ decide, notify }, async (story) => {
      await failing;
      await story.nudge();
      assert.equal(await story.handle.result(), 'every-step-spent');
      await story.record('urgent-overtakes');
    });
    assert.deepEqual(
      tried.map(({ attemptId, alert, instead }) => [attemptId, alert, instead]),
      [
        ['attempt-push', undefined, undefined],
        ['attempt-urgent', 'urgent', 'attempt-push'],
      ],
    );
    assert.deepEqual(
      asked.slice(0, 3).map(({ underWay, urgentUnderWay }) => [underWay, urgentUnderWay]),
      [
        [[], []],
        [['push'], []],
        [['push'], ['push']],
      ],
    );
  });

  it('tells what is urgent beside a push that is stuck; both wait where it is stuck as well, and are tried one by one', async () => {
    const plain = { ...notifyPlan('push'), attemptId: 'attempt-plain' };
    const urgent = { ...notifyPlan('push'), attemptId: 'attempt-urgent', alert: 'urgent' } as Plan;
    const [first, both] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let urgentCame = false;
    const decide = async ({ stuck: known, underWay }: DecideInput): Promise<Plan> => {
      if (underWay.length > 0) return waitFor('push', 60_000)();
      if (tried.length === 0) return plain;
      if (tried.length === 1 && urgentCame) return urgent;
      if (known.length === 2) both.resolve();
      if (known.length === 0) return spent;
      first.resolve();
      return waitFor('operator', 60_000)();
    };
    const tried: NotifyInput[] = [];
    let running = 0;
    const notify = async (_channel: string, input: NotifyInput): Promise<NotifyResult> => {
      tried.push(input);
      running += 1;
      assert.equal(running, 1, 'one push at a time');
      // The other one has been asked for by now, too.
      await Promise.resolve();
      running -= 1;
      return input.again ? { result: 'sent' } : stuck;
    };
    await tellStory({ decide, notify }, async (story) => {
      await first.promise;
      urgentCame = true;
      await story.nudge();
      await both.promise;
      assert.deepEqual(await attributes(story), [true, 'provider_configuration']);
      const answer = await update(story, 'retry', { by: 'Olga', channel: 'push' });
      assert.deepEqual(answer, { done: true, message: 'push is tried again now' });
      assert.equal(await story.handle.result(), 'every-step-spent');
      assert.deepEqual(await attributes(story), [false, undefined]);
      await story.record('urgent-passes-what-is-stuck');
    });
    assert.deepEqual(
      tried.map(({ attemptId, again, instead }) => [attemptId, again, instead]),
      [
        ['attempt-plain', false, undefined],
        ['attempt-urgent', false, undefined],
        ['attempt-plain', true, undefined],
        ['attempt-urgent', true, undefined],
      ],
    );
  });

  it('sends nothing more once close has answered, also where a step was being tried', async () => {
    const { notify, tries, failing } = alwaysFailing('push');
    const decide = async ({ closed }: DecideInput) =>
      closed ? { kind: 'finished' as const, outcome: 'closed-by-operator' as const } : notifyPlan('push', 30_000);
    await tellStory({ decide, notify }, async (story) => {
      await failing;
      assert.equal((await update(story, 'close', { by: 'Olga' })).done, true);
      const { length } = tries;
      assert.equal(await story.handle.result(), 'closed-by-operator');
      assert.equal(tries.length, length);
      await story.record('closed-while-a-push-fails');
    });
  });

  it('close waits for a call that is under way', async () => {
    const [called, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<NotifyResult>()];
    const notify = () => (called.resolve(), answer.promise);
    const decide = async ({ closed }: DecideInput) =>
      closed ? { kind: 'finished' as const, outcome: 'closed-by-operator' as const } : notifyPlan('push', 30_000);
    await tellStory({ decide, notify }, async (story) => {
      await called.promise;
      const closing = await story.handle.startUpdate<OperatorAnswer, [object]>('close', {
        args: [{ by: 'Olga' }],
        waitForStage: 'ACCEPTED',
      });
      const answered = closing.result();
      const roundTrips = async () => {
        for (let n = 0; n < 3; n += 1) await story.handle.query('__stack_trace');
        return 'nothing yet';
      };
      assert.equal(await Promise.race([answered, roundTrips()]), 'nothing yet');
      answer.resolve({ result: 'sent' });
      assert.equal((await answered).done, true);
      assert.equal(await story.handle.result(), 'closed-by-operator');
    });
  });

  it('stops a step that is being tried when everything was read', async () => {
    const { notify, tries, failing } = alwaysFailing('push');
    let asked = 0;
    const decide = async () => (++asked === 1 ? notifyPlan('push', 30_000) : finished);
    await tellStory({ decide, notify }, async (story) => {
      await failing;
      await story.nudge();
      assert.equal(await story.handle.result(), 'read');
      const { length } = tries;
      await story.handle.describe();
      assert.equal(tries.length, length);
    });
  });

  it('does not turn round and round when the clock that named an instant is behind', async () => {
    const end = Date.now() + 2_500;
    let asked = 0;
    const decide = async () => {
      asked += 1;
      return Date.now() < end ? waitFor('email', -60_000)() : finished;
    };
    await tellStory({ decide }, async (story) => void (await story.handle.result()));
    assert.ok(asked <= 5, `it looked ${asked} times`);
  });

  const details = async (story: Story) =>
    (await story.handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata')).currentDetails ?? '';
  const undecided = (story: Story, code: string) =>
    eventually(
      () => details(story),
      (text) => text.includes(`could not be decided** (${code};`),
    );

  it('tells a person when it cannot be decided what comes next, and goes on when it can', async () => {
    let broken = true;
    const decide = async () => {
      if (broken) throw ApplicationFailure.nonRetryable('internal', 'internal');
      return finished;
    };
    await tellStory({ decide }, async (story) => {
      await undecided(story, 'internal');
      assert.deepEqual(await attributes(story), [true, 'decision_failing']);
      broken = false;
      await story.nudge();
      assert.equal(await story.handle.result(), 'read');
      assert.deepEqual(await attributes(story), [false, undefined]);
      await story.record('undecided-then-read');
    });
  });

  it('but not when the database was away: that passes by itself', async () => {
    const decide = async () => {
      throw ApplicationFailure.nonRetryable('unavailable', 'unavailable');
    };
    await tellStory({ decide }, async (story) => {
      await undecided(story, 'unavailable');
      assert.equal((await attributes(story))[0] ?? false, false);
    });
  });

  describe('in a new run', () => {
    const step = {
      channel: 'push' as const,
      attemptId: 'attempt-push',
      conversationIds: ['c1'],
      reason: 'provider_configuration',
      code: 'UNAUTHENTICATED',
      since: '2026-11-24T12:00:00.000Z',
    };

    it('knows what is stuck, skipped, snoozed and asked for, and what was last done', async () => {
      const { decide, asked } = scripted(waitFor('operator', 3_600_000));
      const carried = {
        stuck: [step],
        struckOff: ['attempt-sms'],
        retries: [{ ...step, channel: 'email' as const, attemptId: 'attempt-email' }],
        snoozed: [{ channel: 'push' as const, until: until(3_600_000) }],
        lastAction: 'push was snoozed (Olga)',
      };
      const inputs: NotifyInput[] = [];
      const notify = async (_channel: string, input: NotifyInput): Promise<NotifyResult> => {
        inputs.push(input);
        return { result: 'sent' };
      };
      await tellStory(
        { decide, notify },
        async (story) => {
          assert.deepEqual(await attributes(story), [true, 'provider_configuration']);
          assert.match(await details(story), /Last action: push was snoozed \(Olga\)/);
          await update(story, 'skip', { by: 'Olga' });
        },
        { carried },
      );
      assert.deepEqual(
        [asked[0]?.stuck.map(({ channel }) => channel), asked[0]?.struckOff, asked[0]?.underWay],
        [['push'], ['attempt-sms'], ['email']],
      );
      assert.deepEqual(
        inputs.map(({ attemptId, again }) => [attemptId, again]),
        [['attempt-email', true]],
      );
    });

    it('is still closed', async () => {
      const closed: boolean[] = [];
      const decide = async (input: DecideInput) => (closed.push(input.closed), finished);
      const carried = { stuck: [], closed: true };
      await tellStory({ decide }, async (story) => void (await story.handle.result()), { carried });
      assert.deepEqual(closed, [true]);
    });

    it('begins when the history has grown long, and carries everything over', async () => {
      const asked: DecideInput[] = [];
      const waiting = Promise.withResolvers<void>();
      const decide = async (input: DecideInput) => {
        asked.push(input);
        if (asked.length === 1) return notifyPlan('push');
        if (input.closed) return { kind: 'finished' as const, outcome: 'closed-by-operator' as const };
        if (input.stuck.length > 0) waiting.resolve();
        return waitFor('operator', 3_600_000)();
      };
      const runs = () => new Set(asked.map(({ runId }) => runId)).size;
      await tellStory({ decide, notify: stuckOnce().notify }, async (story) => {
        await waiting.promise;
        await update(story, 'snooze', { by: 'Olga', minutes: 30 });
        while (runs() === 1) {
          const { length } = asked;
          await story.nudge();
          await eventually(
            async () => asked.length,
            (now) => now > length,
          );
        }
        assert.deepEqual(
          asked.at(-1)?.stuck.map(({ channel }) => channel),
          ['push'],
        );
        assert.match(await details(story), /Last action: push is tried again at .* \(Olga\)/);
        await update(story, 'close', { by: 'Olga' });
        assert.equal(await story.handle.result(), 'closed-by-operator');
        await story.record('continued-as-new');
      });
    }).timeout(60_000);
  });
}).timeout(20_000);
