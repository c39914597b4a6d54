import type { UserId } from '../../contracts/ids.ts';
import type { Tx } from '../../db/client.ts';
import { type Level, levelsOf, putLevels, takeText, textsOn } from '../../db/queries/budgets.ts';
import type { Caps, Deps } from '../deps.ts';
import type { Capped, Caught } from './situation.ts';

/** `alert`: a push that makes a sound; the others change what is displayed, and are not counted. */
export type Spending = 'alert' | 'email' | 'sms';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

interface Bucket {
  name: string;
  /** What it holds when it is full, which it is again after so many milliseconds. */
  size: number;
  refillMs: number;
}

const bucketsOf = (caps: Caps): Record<Spending, Bucket[]> => ({
  alert: [
    { name: 'push-10m', size: caps.alertsPer10Minutes, refillMs: 10 * minute },
    { name: 'push-day', size: caps.alertsPerDay, refillMs: day },
  ],
  email: [
    { name: 'email-hour', size: caps.emailsPerHour, refillMs: hour },
    { name: 'email-day', size: caps.emailsPerDay, refillMs: day },
  ],
  sms: [
    { name: 'sms-hour', size: caps.textsPerHour, refillMs: hour },
    { name: 'sms-day', size: caps.textsPerDay, refillMs: day },
  ],
});

/** What is kept for urgent messages when the rest is spent. */
const reservesOf = (caps: Caps): Record<Spending, Bucket[]> => ({
  alert: [{ name: 'urgent-push-day', size: caps.urgentAlertsPerDay, refillMs: day }],
  email: [],
  sms: [{ name: 'urgent-sms-day', size: caps.urgentTextsPerDay, refillMs: day }],
});

/** What the bucket holds now: it fills steadily. A clock that went back has filled nothing. */
function tokensIn({ name, size, refillMs }: Bucket, levels: readonly Level[], now: Date): number {
  const level = levels.find(({ bucket }) => bucket === name);
  if (!level) return size;
  const passed = Math.max(0, now.getTime() - level.at.getTime());
  return Math.min(size, level.tokens + (passed * size) / refillMs);
}

/** What is missing of a token by less than this is an error of the arithmetic. */
const grain = 1e-6;

/** When all of them hold one, if not now. */
function freeAt(buckets: readonly Bucket[], levels: readonly Level[], now: Date): Date | undefined {
  const waits = buckets.map((bucket) => {
    const missing = 1 - tokensIn(bucket, levels, now);
    return missing < grain ? 0 : Math.ceil((missing * bucket.refillMs) / bucket.size);
  });
  const wait = Math.max(0, ...waits);
  return wait === 0 ? undefined : new Date(now.getTime() + wait);
}

/** From where one may be taken now: the ordinary buckets, for what is urgent else the reserve; nothing where all are empty. */
function openBuckets(
  caps: Caps,
  levels: readonly Level[],
  now: Date,
  { what, urgent }: { what: Spending; urgent: boolean },
): { open: Bucket[] | undefined; until: Date | undefined } {
  const reserve = urgent ? reservesOf(caps)[what].filter(({ size }) => size > 0) : [];
  const ways = [bucketsOf(caps)[what], reserve].filter((buckets) => buckets.length > 0);
  const open = ways.find((buckets) => freeAt(buckets, levels, now) === undefined);
  const until = ways
    .flatMap((buckets) => freeAt(buckets, levels, now) ?? [])
    .sort((a, b) => a.getTime() - b.getTime())[0];
  return { open, until };
}

/** Milliseconds by which the clocks of two workers may differ. */
const clockSkewMs = 5_000;

type CapDeps = Pick<Deps, 'now' | 'caps' | 'log'>;

/** Looks at the budgets and takes nothing. */
export async function capsOf(
  tx: Tx,
  { now: clock, caps }: Pick<CapDeps, 'now' | 'caps'>,
  userId: UserId,
): Promise<Caught> {
  const now = clock();
  const levels = await levelsOf(tx, userId);
  const own = (what: Spending, urgent: boolean): Capped | undefined => {
    const { open, until } = openBuckets(caps, levels, now, { what, urgent });
    return open || !until ? undefined : { reason: 'cap_user', until };
  };
  const spent = caps.orgTextsPerDay !== null && (await textsOn(tx, now)) >= caps.orgTextsPerDay;
  const organisation: Capped | undefined = spent ? { reason: 'cap_org_sms', until: nextDay(now) } : undefined;
  return {
    email: own('email', false),
    sms: organisation ?? own('sms', false),
    urgentSms: organisation ?? own('sms', true),
  };
}

/**
 * Takes one, in the transaction of the claim and under the person's lock: two workers never take the same one, and what is
 * not claimed is not spent. Answers whether there was one.
 */
export async function takeOne(
  tx: Tx,
  deps: CapDeps,
  userId: UserId,
  { what, urgent }: { what: Spending; urgent: boolean },
): Promise<'taken' | Capped['reason']> {
  // Whoever decided may have another clock: were there nothing yet by ours, it would be decided and refused in turns.
  const now = new Date(deps.now().getTime() + clockSkewMs);
  const levels = await levelsOf(tx, userId);
  const { open } = openBuckets(deps.caps, levels, now, { what, urgent });
  if (!open) return 'cap_user';
  if (what === 'sms' && !(await takeOfOrganisation(tx, deps, now))) return 'cap_org_sms';
  const left = open.map((bucket) => ({ bucket: bucket.name, tokens: tokensIn(bucket, levels, now) - 1, at: now }));
  await putLevels(tx, userId, left);
  return 'taken';
}

async function takeOfOrganisation(tx: Tx, { caps, log }: CapDeps, now: Date): Promise<boolean> {
  const perDay = caps.orgTextsPerDay;
  if (perDay === null) return true;
  const texts = await takeText(tx, now, perDay);
  if (texts === undefined) return false;
  const percent = [100, 80, 50].find((share) => texts === Math.ceil((perDay * share) / 100));
  if (percent) log.warn('so much of the texts of today is spent', { percent, texts, perDay });
  return true;
}

/** The organisation's day ends at midnight UTC. */
const nextDay = (now: Date) => new Date((Math.floor(now.getTime() / day) + 1) * day);
