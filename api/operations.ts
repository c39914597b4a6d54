import type { Request } from 'express';
import type { z } from 'zod';
import type { Endpoint } from '../contracts/rest/endpoint.ts';
import type { UserRole } from '../contracts/entities/index.ts';
import { type Rule, requireScope, ruleOf } from '../domain/access/index.ts';
import type { Actor, Deps } from '../domain/deps.ts';
import { DomainError } from '../domain/errors.ts';

type Parsed<Schema> = NonNullable<Schema> extends infer Known extends z.ZodType ? z.infer<Known> : undefined;

/** What a handler is given: all of it checked against the contract. */
export interface Call<E extends Endpoint> {
  /** What it is done with: of somebody who is signed in, the database shows only what that person may see. */
  deps: Deps;
  actor: E['auth'] extends 'user' ? Actor : undefined;
  params: Parsed<E['params']>;
  query: Parsed<E['query']>;
  body: Parsed<E['body']>;
  /** The version that `If-Match` names. */
  ifMatch: number | undefined;
  /** Only where nobody is signed in yet, which sockets do not know: passport reads it. */
  request: E['auth'] extends 'user' ? undefined : Request;
}

/** What a handler answers with: one of the statuses that the contract knows, and its body. */
export type Answer<E extends Endpoint> = {
  [Status in keyof E['success'] & number]: {
    status: Status;
    body: E['success'][Status] extends z.ZodType ? z.input<E['success'][Status]> : undefined;
    version?: number;
  };
}[keyof E['success'] & number];

/** An answer with the exact type of its status. */
export const reply = <const Status extends number, Body>(status: Status, body: Body, version?: number) =>
  version === undefined ? { status, body } : { status, body, version };

export type Handler<E extends Endpoint> = (call: Call<E>) => Promise<Answer<E>> | Answer<E>;

/** An answer whose status no longer says what its body is. */
export interface Outcome {
  status: number;
  body?: unknown;
  version?: number;
}

/** A call whose operation is only known when it comes. */
export interface AnyCall {
  actor?: Actor | undefined;
  params?: unknown;
  query?: unknown;
  body?: unknown;
  ifMatch?: number | undefined;
  request?: Request;
}

/** One thing that can be asked: its contract, and what is done. */
export interface Operation {
  readonly endpoint: Endpoint;
  readonly run: (call: AnyCall) => Promise<Outcome>;
}

/** What may be asked of whoever calls, by the policy and by the contract; each throws unless it is so. */
export interface Guards {
  /** What the operation is done with, in the name of whoever calls; staff and who is nobody yet look at everybody. */
  depsFor: (actor: Actor | undefined, rule: Rule) => Deps;
  /** The actor has that role or a higher one; else `forbidden`. */
  requireRole: (actor: Actor | undefined, role: UserRole) => Promise<void>;
  /** The actor has proved within the last minutes who they are; else `step_up_required`. */
  requireProof: (actor: Actor) => Promise<void>;
}

/**
 * Everything that can be asked, by its `operationId`. REST mounts each at its path; sockets name it. Whoever runs one has
 * made sure who asks, and has checked the call against the contract.
 */
export class Operations {
  readonly #all = new Map<string, Operation>();
  readonly #checkAnswers: boolean;
  readonly #guards: Guards;

  /**
   * @param checkAnswers Parses every answer against its contract: in development and tests, where a mistake must not pass unseen.
   * @param guards Refuse whoever is not what an endpoint asks for. Here, so that no door can forget it.
   */
  constructor({ checkAnswers }: { checkAnswers: boolean }, guards: Guards) {
    this.#checkAnswers = checkAnswers;
    this.#guards = guards;
  }

  add<E extends Endpoint>(endpoint: E, handle: Handler<E>): void {
    const rule = ruleOf(endpoint.operationId);
    const run = async (call: AnyCall): Promise<Outcome> => {
      await this.#admit(rule, endpoint, call);
      const deps = this.#guards.depsFor(call.actor, rule);
      const answer: Outcome = await handle({ ...call, deps } as Call<E>);
      if (this.#checkAnswers) endpoint.success[answer.status]?.parse(answer.body);
      return answer;
    };
    this.#all.set(endpoint.operationId, { endpoint, run });
  }

  /** What a token is for and the role first: to whom a call is not open, nothing more is said of it. */
  async #admit(rule: Rule, { stepUp }: Endpoint, { actor, body }: AnyCall): Promise<void> {
    if (actor && rule.who !== 'anybody') requireScope(actor, rule.scope);
    if (rule.who === 'staff') await this.#guards.requireRole(actor, rule.role);
    if (!actor || !stepUp || !needsProof(stepUp, body)) return;
    // Nobody is at a token who could prove anything.
    requireScope(actor, 'session');
    await this.#guards.requireProof(actor);
  }

  [Symbol.iterator](): Iterator<Operation> {
    return this.#all.values();
  }

  /** Runs what somebody who is signed in asks for by its name. */
  run(actor: Actor, operationId: string, call: Omit<AnyCall, 'actor' | 'request'>): Promise<Outcome> {
    const operation = this.#all.get(operationId);
    if (operation?.endpoint.auth !== 'user')
      throw new DomainError('not_found', { detail: 'There is no such operation.' });
    return operation.run({ ...call, actor });
  }
}

const needsProof = (stepUp: NonNullable<Endpoint['stepUp']>, body: unknown): boolean =>
  stepUp === true || Object.entries(stepUp).some(([field, word]) => (body as Record<string, unknown>)[field] === word);
