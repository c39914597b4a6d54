import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { named } from './answers.ts';
import type { Provider } from './store.ts';

/** Rules at most at one time. */
const maxRules = 500;
/** Milliseconds that a rule may hold an answer back. */
const maxDelayMs = 120_000;

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
]);

export const NewRule = z
  .strictObject({
    provider: z.enum(['fcm', 'sendgrid', 'twilio']).optional(),
    /** The recipient exactly, or /a regular expression/. */
    to: z
      .string()
      .min(1)
      .max(500)
      .refine(isPattern, { message: 'must be a recipient or /a regular expression/' })
      .optional(),
    /** Only the n-th matching call, counted from 1. */
    nth: z.int().positive().optional(),
    /** How often it acts at most. */
    count: z.int().positive().optional(),
    probability: z.number().gt(0).max(1).optional(),
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

export type Rule = z.infer<typeof NewRule> & { id: string; seen: number; used: number; expiresAt: number };

export class TooManyRules extends Error {}

/** The first rule that matches a call acts on it. */
export class Rules {
  #rules: Rule[] = [];

  add(rule: z.infer<typeof NewRule>): Rule {
    if (this.list().length >= maxRules) throw new TooManyRules(`there may be ${maxRules} rules at most; delete some`);
    const expiresAt = rule.expiresInMs === undefined ? Number.POSITIVE_INFINITY : Date.now() + rule.expiresInMs;
    const kept = { ...rule, id: randomUUID(), seen: 0, used: 0, expiresAt };
    this.#rules.push(kept);
    return kept;
  }

  list(): Rule[] {
    this.#rules = this.#rules.filter(({ expiresAt }) => expiresAt > Date.now());
    return this.#rules;
  }

  remove(id?: string): boolean {
    const before = this.#rules.length;
    this.#rules = id === undefined ? [] : this.#rules.filter((rule) => rule.id !== id);
    return this.#rules.length < before;
  }

  take(provider: Provider, to: string): Rule | undefined {
    for (const rule of this.list()) {
      if (rule.provider !== undefined && rule.provider !== provider) continue;
      if (rule.to !== undefined && !fits(rule.to, to)) continue;
      // An error that this provider does not know is meant for another.
      if ('error' in rule.action && !(rule.action.error in named[provider])) continue;
      rule.seen += 1;
      if (rule.nth !== undefined && rule.seen !== rule.nth) continue;
      if (rule.count !== undefined && rule.used >= rule.count) continue;
      if (rule.probability !== undefined && Math.random() >= rule.probability) continue;
      rule.used += 1;
      return rule;
    }
    return undefined;
  }
}

const asPattern = (text: string) => /^\/(.+)\/$/s.exec(text)?.[1];

function isPattern(text: string): boolean {
  const pattern = asPattern(text);
  if (pattern === undefined) return true;
  try {
    return new RegExp(pattern) instanceof RegExp;
  } catch {
    return false;
  }
}

function fits(wanted: string, to: string): boolean {
  const pattern = asPattern(wanted);
  return pattern === undefined ? wanted === to : new RegExp(pattern).test(to);
}
