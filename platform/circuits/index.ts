import { createHash } from 'node:crypto';
import { Platform } from '../../contracts/entities/device.ts';
import type { Config } from '../config.ts';
import type { Log, Circuits, CircuitName, Held, SendOutcome } from '../../domain/deps.ts';
import { type Cause, type Circuit, circuitRules as rules, heldUntil, releaseMs } from './rules.ts';
import type { CircuitStore } from './store.ts';

export { circuitCauses } from './rules.ts';
export { memoryStore, redisStore, sharedWithLocal } from './store.ts';
export { guardSenders } from './guard-senders.ts';

const pushCircuits: readonly CircuitName[] = Platform.options.map((platform) => `fcm:${platform}` as const);
const circuitNames: readonly CircuitName[] = [...pushCircuits, 'sendgrid', 'twilio'];

/** A circuit for each account of ours: another project, key or account begins with a clean slate. */
export function circuitKeys(config: Config): (name: CircuitName) => string {
  const account: Record<string, string> = {
    fcm: config.FCM_PROJECT_ID,
    // The middle part names the key; what follows is its secret.
    sendgrid: config.SENDGRID_API_KEY.split('.')[1] ?? '',
    twilio: config.TWILIO_ACCOUNT_SID,
  };
  const hashes = Object.fromEntries(
    Object.entries(account).map(([provider, name]) => [
      provider,
      createHash('sha256').update(name).digest('hex').slice(0, 12),
    ]),
  );
  // In braces: all keys of one circuit are in one slot of a cluster.
  return (name) => `{${config.HOMING_REDIS_PREFIX}:circuit:${hashes[name.split(':')[0] ?? '']}:${name}}`;
}

/** Why a circuit is open, or that nobody has called for so long that nobody knows; undefined while sends go. */
type CircuitState = Cause | 'untested' | undefined;

export interface CircuitsOptions {
  store: CircuitStore;
  /** What keys begin with: the deployment, and the provider's account of each circuit. */
  keyOf: (name: CircuitName) => string;
  now: () => number;
  log: Log;
  /** Told of each change that this process sees. */
  onChange?: (name: CircuitName, state: CircuitState) => void;
  /** So many tokens were called dead that it is not the tokens: what was believed since then was wrong. */
  onDeadTokens?: (since: Date) => Promise<void>;
}

/** Milliseconds for which what was read of a circuit is believed. */
const freshMs = 1_000;
/** Milliseconds for which an outage is remembered that nobody asks about. */
const forgottenMs = 7 * 86_400_000;

interface Reviewed {
  /** Looks again at what this process has seen out of order: one that asks no more would hold it for so for ever. */
  review(): Promise<void>;
}

/** A circuit breaker for each provider, account and platform, shared by all processes. See `circuitRules`. */
export function createCircuits(options: CircuitsOptions): Circuits & Reviewed {
  const { store, now, log } = options;
  const seen = new Map<CircuitName, { circuit: Circuit | undefined; at: number }>();
  const key = (name: CircuitName, part: string) => `${options.keyOf(name)}:${part}`;

  /** Buckets of a count that reach back so far, the newest first. */
  function buckets(name: CircuitName, what: string, bucketMs: number, reachMs = bucketMs): string[] {
    const newest = Math.floor(now() / bucketMs);
    return Array.from({ length: Math.ceil(reachMs / bucketMs) }, (_, n) => key(name, `${what}:${newest - n}`));
  }
  const window = (name: CircuitName, what: 'calls' | 'failed') =>
    buckets(name, what, rules.windowBucketMs, rules.windowMs);
  const normal = (name: CircuitName, what: 'sends' | 'dead') =>
    buckets(name, what, rules.normalBucketMs, rules.normalMs);
  const sumOf = async (keys: readonly string[]) => (await store.counts(keys)).reduce((sum, n) => sum + n, 0);

  async function current(name: CircuitName): Promise<Circuit | undefined> {
    const known = seen.get(name);
    if (known && now() - known.at < freshMs) return known.circuit;
    const text = await store.read(key(name, 'state'));
    return noted(name, text === undefined ? undefined : await asUsed(name, JSON.parse(text) as Circuit));
  }
  async function asUsed(name: CircuitName, circuit: Circuit): Promise<Circuit> {
    if (circuit.phase !== 'open') return circuit;
    return { ...circuit, untested: (await store.read(key(name, 'used'))) === undefined };
  }
  /** Somebody calls, or would: that is what an outage is about. Whoever only looks may have no use for it. */
  async function use(name: CircuitName, circuit: Circuit): Promise<void> {
    await store.write(key(name, 'used'), '1', rules.idleMs);
    // Else what was read stays as old as it is, so that a recovery is seen after a second, however many call.
    if (circuit.phase === 'open' && circuit.untested) noted(name, { ...circuit, untested: false });
  }
  function noted(name: CircuitName, circuit: Circuit | undefined): Circuit | undefined {
    const before = seen.get(name)?.circuit;
    seen.set(name, { circuit, at: now() });
    const [was, is] = [stateOf(before), stateOf(circuit)];
    if (was !== is) options.onChange?.(name, is);
    return circuit;
  }
  async function become(name: CircuitName, circuit: Circuit, ttlMs: number): Promise<void> {
    await store.write(key(name, 'state'), JSON.stringify(circuit), ttlMs);
    noted(name, circuit);
  }

  async function open(name: CircuitName, cause: Cause): Promise<void> {
    // Another process may have been faster: the outage is as old as its first discovery.
    seen.delete(name);
    const known = await current(name);
    if (known?.phase === 'open' && (known.cause === cause || cause !== 'dead_tokens')) return;
    const sends = await sumOf(normal(name, 'sends'));
    const normalRate = Math.max(rules.leastNormalRate, sends / (rules.normalMs / 1_000));
    await store.clear([key(name, 'good'), key(name, 'waiting')]);
    // The first is let through to ask when there was time to come back.
    await store.take(key(name, 'probe'), rules.probeMs);
    const circuit: Circuit = { phase: 'open', cause, since: now(), normalRate };
    await use(name, circuit);
    await become(name, circuit, forgottenMs);
    log.error('a provider is out of order; its sends wait', { circuit: name, cause });
  }

  async function close(name: CircuitName, { normalRate }: Circuit): Promise<void> {
    const waiting = await store.waiting(key(name, 'waiting'));
    const counts = [...window(name, 'calls'), ...window(name, 'failed'), ...normal(name, 'dead')];
    await store.clear([...counts, key(name, 'good'), key(name, 'config'), key(name, 'waiting')]);
    const circuit: Circuit = { phase: 'recovering', since: now(), waiting, normalRate };
    await become(name, circuit, Math.max(1, releaseMs(waiting, normalRate)));
    log.info('a provider is back; what waited is let go little by little', { circuit: name, waiting });
  }

  async function whileOpen(name: CircuitName, circuit: Circuit, kind: Kind | undefined): Promise<void> {
    if (kind === undefined) return;
    if (kind !== 'good') return store.clear([key(name, 'good')]);
    const [times = 0] = await store.count([key(name, 'good')], forgottenMs);
    if (times >= rules.goodProbes) await close(name, circuit);
  }

  async function whileClosed(name: CircuitName, kind: Kind): Promise<void> {
    if (kind === 'good') return store.clear([key(name, 'config')]);
    if (kind === 'config') {
      const [times = 0] = await store.count([key(name, 'config')], rules.configMs);
      if (times >= rules.configErrors) await open(name, 'configuration');
      return;
    }
    const [all, bad] = [await sumOf(window(name, 'calls')), await sumOf(window(name, 'failed'))];
    if (all >= rules.calls && bad * 2 >= all) await open(name, 'failing');
  }

  /** Whether so many tokens are called dead that our own configuration must be what is wrong. */
  async function brakes(name: CircuitName): Promise<boolean> {
    const [sends, dead] = [await sumOf(normal(name, 'sends')), await sumOf(normal(name, 'dead'))];
    return sends >= rules.deadSends && dead > sends * rules.deadShare;
  }
  async function brake(): Promise<void> {
    log.error('too many push tokens are called dead at once: none is believed, and pushes wait', {
      remedy: 'check FCM_PROJECT_ID and the service account',
    });
    for (const name of pushCircuits) await open(name, 'dead_tokens');
    const since = new Date(now() - rules.normalMs);
    await options.onDeadTokens?.(since).catch((error: unknown) => log.error('devices stay suspect', { since, error }));
  }
  /** What is to be believed of a token that is called dead. */
  async function judgeDead(
    name: CircuitName,
    circuit: Circuit | undefined,
    outcome: SendOutcome,
  ): Promise<SendOutcome> {
    const braking = circuit?.phase === 'open' && circuit.cause === 'dead_tokens';
    if (!braking && !(await brakes(name))) return outcome;
    if (!braking) await brake();
    return { class: 'config_outage', provider: 'fcm', code: 'dead_tokens' };
  }

  /** Counts one call in all that is measured, in one go. */
  async function measure(name: CircuitName, outcome: SendOutcome, kind: Kind | undefined): Promise<void> {
    const what = [
      ...[normal(name, 'sends')],
      ...(kind === undefined ? [] : [window(name, 'calls')]),
      ...(kind === 'failed' ? [window(name, 'failed')] : []),
      ...(outcome.class === 'recipient_dead' ? [normal(name, 'dead')] : []),
    ];
    await store.count(
      what.flatMap(([newest]) => newest ?? []),
      rules.normalMs + rules.normalBucketMs,
    );
  }

  return {
    async look(userId) {
      const held = new Map<CircuitName, Held>();
      for (const name of circuitNames) {
        const circuit = await current(name);
        const wait = circuit && heldUntil(circuit, userId, now());
        if (!wait) continue;
        const mayAsk = wait.why === 'breaker_open' && (await store.read(key(name, 'probe'))) === undefined;
        if (wait.why === 'breaker_open') await store.wait(key(name, 'waiting'), userId, forgottenMs);
        held.set(name, { ...wait, ...(mayAsk ? { mayAsk } : {}) });
      }
      return held;
    },
    async admit(name, userId) {
      const circuit = await current(name);
      const held = circuit && heldUntil(circuit, userId, now());
      if (!held) return 'go';
      if (held.why === 'provider_recovering') return held;
      await use(name, circuit);
      if (await store.take(key(name, 'probe'), rules.probeMs)) return 'probe';
      await store.wait(key(name, 'waiting'), userId, forgottenMs);
      return held;
    },
    async heed(name, outcome, beganAt = now()) {
      const circuit = await current(name);
      await measure(name, outcome, kindOf[outcome.class]);
      const dead = outcome.class === 'recipient_dead' && pushCircuits.includes(name);
      const believed = dead ? await judgeDead(name, circuit, outcome) : outcome;
      const kind = kindOf[believed.class];
      if (circuit?.phase === 'open') {
        await use(name, circuit);
        // What had been under way when it opened has not asked whether the provider is back.
        if (beganAt >= circuit.since) await whileOpen(name, circuit, kind);
      }
      // What has just put the brake on has opened the circuit, too.
      else if (kind && believed === outcome) await whileClosed(name, kind);
      return believed;
    },
    async review() {
      for (const [name, { circuit }] of [...seen]) if (circuit) await current(name);
    },
  };
}

const stateOf = (circuit: Circuit | undefined): CircuitState =>
  circuit?.phase === 'open' ? (circuit.untested ? 'untested' : circuit.cause) : undefined;

type Kind = 'good' | 'failed' | 'config';

/** What an outcome says of the provider: a recipient that is refused shows that it works. Too many calls at once say nothing. */
const kindOf: Record<SendOutcome['class'], Kind | undefined> = {
  ok: 'good',
  recipient_dead: 'good',
  recipient_opted_out: 'good',
  recipient_soft: 'good',
  content_rejected: 'good',
  throttled: undefined,
  transient: 'failed',
  ambiguous: 'failed',
  config_outage: 'config',
};
