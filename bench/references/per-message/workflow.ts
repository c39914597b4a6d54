import { proxyActivities, sleep } from '@temporalio/workflow';
import type { Announced, PerMessageActivities } from './main.ts';

const { announce } = proxyActivities<PerMessageActivities>({ startToCloseTimeout: '60 seconds' });

/** The story of one message and one person: begun when the push is due, a mail later, each unless it was read. */
export async function announceMessage(message: Announced, mailAfterMs: number): Promise<void> {
  await announce('push', message);
  await sleep(mailAfterMs);
  await announce('email', message);
}
