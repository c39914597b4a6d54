import { z } from 'zod';
import { type ProviderAnswer, errorOf, isDown, named, tooOften } from './answers.ts';
import type { Clock } from './clock.ts';
import type { Ids } from './ids.ts';
import { isPattern, fits } from './pattern.ts';
import type { Provider } from './store.ts';

/** Rules at most at one time. */
const maxRules = 500;
/** Milliseconds that a rule may hold an answer back. */
const maxDelayMs = 120_000;
/** Milliseconds of a window: 31 days. */
const maxWindowMs = 31 * 24 * 3_600_000;

const windowMs = z.int().positive().max(maxWindowMs);
const Action = z.union([
  /** The provider's error of that name. */
  z.strictObject({ error: z.string() }),
  /** Any answer. A text as the body goes out as it is: what a proxy in between would say. */
  z.strictObject({
    status: z.int().min(200).max(599),
    body: z.unknown().optional(),
    headers: z.record(z.string(), z.string()).optional(),
  }),
  z.strictObject({ delayMs: z.int().min(0).max(maxDelayMs) }),
  z.strictObject({ hang: z.literal(true) }),
  /** Cuts the connection: before the message is taken, or after, so that the caller cannot know. */
  z.strictObject({ cut: z.enum(['before', 'after']) }),
  /** Takes the message and answers with half of the body that there should be. */
  z.strictObject({ malformed: z.literal(true) }),
  /** So many calls of each window go through; the others come too often. */
  z.strictObject({ limit: z.int().min(0), windowMs }),
  /** The provider is down for a while, which begins now or later. */
  z.strictObject({ outageMs: windowMs, afterMs: z.int().min(0).max(maxWindowMs).optional() }),
]);
export type Action = z.infer<typeof Action>;

const pattern = z
  .string()
  .min(1)
  .max(500)
  .refine(isPattern, { message: 'must be the value exactly or /a regular expression/' });

export const NewRule = z
  .strictObject({
    provider: z.enum(['fcm', 'sendgrid', 'twilio']).optional(),
    /** Sends, or the other calls: lists, look-ups, changes. */
    call: z.enum(['send', 'other']).default('send'),
    /** The recipient exactly, or /a regular expression/. */
    to: pattern.optional(),
    /** A field of the body by its path, such as `message.data.kind` or `personalizations.0.subject`. */
    field: z.strictObject({ path: z.string().min(1).max(500), is: pattern }).optional(),
    /** Only the n-th matching call, counted from 1. */
    nth: z.int().positive().optional(),
    /** How often it acts at most. */
    count: z.int().positive().optional(),
    probability: z.number().gt(0).max(1).optional(),
    /** By the sandbox's clock. */
    expiresInMs: z.int().positive().optional(),
    action: Action,
  })
  .superRefine(({ provider, action }, context) => {
    if (!('error' in action)) return;
    const providers = provider ? [provider] : (Object.keys(named) as Provider[]);
    if (providers.some((name) => action.error in named[name])) return;
    const known = providers.map((name) => `${name}: ${Object.keys(named[name]).join(', ')}`).join('; ');
    context.addIssue({
      code: 'custom',
      path: ['action', 'error'],
      message: `is no error of ${providers.join(', ')}; known are ${known}`,
    });
  });

export type Rule = z.infer<typeof NewRule> & {
  id: string;
  seen: number;
  used: number;
  addedAt: number;
  expiresAt: number;
  /** When the calls of the running window came. */
  passed: number[];
};

/** A call as rules see it. */
export interface Call {
  provider: Provider;
  call: 'send' | 'other';
  to: string;
  body: unknown;
}

/** What a call meets: the rule, and an answer in the place of the real one where it has one. */
export interface Verdict {
  rule: Rule;
  answer?: ProviderAnswer;
}

export class TooManyRules extends Error {}

/** The first rule that matches a call acts on it. */
export class Rules {
  #rules: Rule[] = [];
  readonly #clock: Clock;
  readonly #ids: Ids;

  constructor(clock: Clock, ids: Ids) {
    this.#clock = clock;
    this.#ids = ids;
  }

  add(rule: z.infer<typeof NewRule>): Rule {
    if (this.list().length >= maxRules) throw new TooManyRules(`there may be ${maxRules} rules at most; delete some`);
    const addedAt = this.#clock.now();
    const expiresAt = rule.expiresInMs === undefined ? Number.POSITIVE_INFINITY : addedAt + rule.expiresInMs;
    const kept = { ...rule, id: this.#ids.uuid(), seen: 0, used: 0, addedAt, expiresAt, passed: [] };
    this.#rules.push(kept);
    return kept;
  }

  list(): Rule[] {
    this.#rules = this.#rules.filter(({ expiresAt }) => expiresAt > this.#clock.now());
    return this.#rules;
  }

  remove(id?: string): boolean {
    const before = this.#rules.length;
    this.#rules = id === undefined ? [] : this.#rules.filter((rule) => rule.id !== id);
    return this.#rules.length < before;
  }

  take(call: Call): Verdict | undefined {
    const rule = this.list().find((one) => this.#matches(one, call));
    if (!rule) return undefined;
    rule.used += 1;
    const answer = this.#answer(rule, call.provider);
    return { rule, ...(answer ? { answer } : {}) };
  }

  #matches(rule: Rule, { provider, call, to, body }: Call): boolean {
    const { action, field } = rule;
    if (rule.provider !== undefined && rule.provider !== provider) return false;
    if (rule.call !== call) return false;
    if (rule.to !== undefined && !fits(rule.to, to)) return false;
    if (field && !fits(field.is, valueAt(body, field.path))) return false;
    // An error that this provider does not know is meant for another.
    if ('error' in action && !(action.error in named[provider])) return false;
    if ('outageMs' in action && !isWithin(action, this.#clock.now() - rule.addedAt)) return false;
    rule.seen += 1;
    if (rule.nth !== undefined && rule.seen !== rule.nth) return false;
    if (rule.count !== undefined && rule.used >= rule.count) return false;
    return rule.probability === undefined || this.#ids.chance() < rule.probability;
  }

  #answer(rule: Rule, provider: Provider): ProviderAnswer | undefined {
    const { action } = rule;
    if ('error' in action) return errorOf(provider, action.error);
    if ('outageMs' in action) return errorOf(provider, isDown[provider]);
    if ('limit' in action) return this.#beyond(rule, action, provider);
    if (!('status' in action)) return undefined;
    return { status: action.status, body: action.body ?? '', ...(action.headers ? { headers: action.headers } : {}) };
  }

  /** A call beyond what its window lets through. One that is refused takes nothing from those that come after. */
  #beyond(rule: Rule, action: { limit: number; windowMs: number }, provider: Provider): ProviderAnswer | undefined {
    const now = this.#clock.now();
    rule.passed = rule.passed.filter((at) => at > now - action.windowMs);
    if (rule.passed.length >= action.limit)
      return tooOften(provider, (rule.passed[0] ?? now) + action.windowMs - now, now);
    rule.passed.push(now);
    return undefined;
  }
}

const isWithin = ({ outageMs, afterMs = 0 }: { outageMs: number; afterMs?: number | undefined }, ageMs: number) =>
  ageMs >= afterMs && ageMs < afterMs + outageMs;

function valueAt(body: unknown, path: string): string {
  const value = path
    .split('.')
    .reduce<unknown>((inner, key) => (inner as Record<string, unknown> | null | undefined)?.[key], body);
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
