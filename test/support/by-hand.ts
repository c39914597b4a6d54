import pg from 'pg';
import type { UserId } from '../../contracts/ids.ts';
import type { DecideInput, NotifyResult, Plan } from '../../contracts/workflows/escalate-unread.ts';
import type { Channel } from '../../contracts/workflows/names.ts';
import type { NotifyRequest } from '../../domain/attention/claim.ts';
import { type Episodes, createArming, decideEpisode, notify, startHeldEpisodes } from '../../domain/attention/index.ts';
import { standardCaps, standardLadder } from '../../platform/config-types.ts';
import type {
  Deps,
  EmailMessage,
  Presence,
  ProviderReport,
  PushMessage,
  SendOutcome,
  SilentPush,
  SmsMessage,
} from '../../domain/deps.ts';
import {
  type Person,
  makeDirect,
  phoneNumber,
  registerDevice,
  registerPerson,
  verifyContacts,
} from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { expectStatus } from './rest.ts';

/** Somebody who does something with one device, and looks at no conversation. */
export const active: Presence = [{ state: 'active', deviceId: null, viewing: null }];

const accepted: SendOutcome = { class: 'ok', providerId: 'provider-1' };

/** Answers of a stand-in for one provider: what was sent to it, and what it says next. */
export interface ByHandProvider<Message> {
  sent: Message[];
  /** Says what comes of a send; accepted where it says nothing. */
  answer: (message: Message, n: number) => SendOutcome | Promise<SendOutcome> | undefined;
}

/** The steps of an ordinary deployment, whatever the clock says when the suite runs. */
const dayLadder = () => ({ ...structuredClone(standardLadder), smsNight: null });

/**
 * A deployment without relay and workers: the test itself takes every turn, on the real tables, so that nothing depends
 * on what happens to run when. Time passes when the test says so.
 */
export class ByHand {
  readonly app: TestApp;
  readonly sql: pg.Client;
  readonly deps: Deps;
  readonly push: ByHandProvider<PushMessage> = { sent: [], answer: () => undefined };
  readonly silent: ByHandProvider<SilentPush> = { sent: [], answer: () => undefined };
  readonly email: ByHandProvider<EmailMessage> = { sent: [], answer: () => undefined };
  readonly sms: ByHandProvider<SmsMessage> = { sent: [], answer: () => undefined };
  /** What Twilio finds when it is asked for a text. */
  found: { providerId: string } | null | undefined = null;
  presence: Presence = [];
  /** What Twilio says when it is asked what became of a text. */
  told: ProviderReport | null | undefined = undefined;
  readonly logged: [level: string, message: string, fields: Record<string, unknown>][] = [];
  #shiftMs = 0;

  constructor(app: TestApp, sql: pg.Client) {
    this.app = app;
    this.sql = sql;
    const write =
      (level: string) =>
      (message: string, fields: Record<string, unknown> = {}) =>
        void this.logged.push([level, message, fields]);
    this.deps = {
      ...(app.processes[0] as TestApp['processes'][number]).runtime.deps,
      now: () => new Date(Date.now() + this.#shiftMs),
      presence: async () => this.presence,
      ladder: dayLadder(),
      log: { info: write('info'), warn: write('warn'), error: write('error') },
      senders: {
        push: {
          send: (message) => ask(this.push, message),
          sendSilently: (message) => ask(this.silent, message),
        },
        email: { send: (message) => ask(this.email, message) },
        sms: { send: (message) => ask(this.sms, message), find: async () => this.found, status: async () => this.told },
      },
    };
  }

  /** As at the beginning: for each test of a file. */
  reset(): void {
    this.#shiftMs = 0;
    this.presence = [];
    this.found = null;
    this.told = undefined;
    this.logged.length = 0;
    this.deps.ladder = dayLadder();
    this.deps.caps = { ...standardCaps };
    for (const provider of [this.push, this.silent, this.email, this.sms]) {
      provider.sent.length = 0;
      provider.answer = () => undefined;
    }
  }

  /** Lets time pass for what decides and sends. */
  pass(ms: number): void {
    this.#shiftMs += ms;
  }

  async rows<Row extends pg.QueryResultRow>(text: string, ...values: unknown[]): Promise<Row[]> {
    return (await this.sql.query<Row>(text, values)).rows;
  }

  /** Somebody with a device, an address and a number that are verified, and every channel switched on. */
  async reachable(name = 'Bob'): Promise<Person & { phone: string; pushToken: string }> {
    const person = await registerPerson(this.app, name);
    const phone = phoneNumber();
    const pushToken = await registerDevice(person);
    await verifyContacts(this.app, person, phone);
    expectStatus(await person.call('PATCH', '/v1/me/notifications', { channels: { sms: true } }), 200);
    return { ...person, phone, pushToken };
  }

  /** Somebody who writes, somebody who can be reached, and their conversation. */
  async pair() {
    const [ana, bob] = [await registerPerson(this.app, 'Ana'), await this.reachable()];
    return { ana, bob, direct: await makeDirect(ana, bob) };
  }

  /** The relay's rounds of arming. */
  arming(): () => Promise<number> {
    return createArming(this.deps);
  }

  /** The relay's turn: arms what was stored. */
  arm(): Promise<number> {
    return this.arming()();
  }

  /** The relay's turn after the grace: hands what is held to a Temporal that always takes it. */
  async start(episodes: Partial<Episodes> = {}): Promise<number> {
    await this.sql.query(`update attention set start_at = now() where state = 'held'`);
    return startHeldEpisodes({ ...this.deps, episodes: { ...willing, ...episodes } });
  }

  async attention(person: Pick<Person, 'id'>) {
    const [row] = await this.rows<{
      episode: string;
      state: string;
      revision: string;
      start_at: Date;
      wakes_at: Date | null;
      nudge_at: Date | null;
    }>('select * from attention where user_id = $1', person.id);
    return row && { ...row, episode: Number(row.episode), revision: Number(row.revision) };
  }

  async decide(person: Pick<Person, 'id'>, extra: Partial<DecideInput> = {}, deps = this.deps): Promise<Plan> {
    const episode = (await this.attention(person))?.episode ?? 0;
    const state = { stuck: [], struckOff: [], underWay: [], closed: false };
    const run = { workflowId: 'workflow', runId: 'run' };
    return decideEpisode(deps, { userId: person.id as UserId, episode, ...state, ...run, ...extra });
  }

  async notify(person: Pick<Person, 'id'>, plan: Plan, extra: Partial<NotifyRequest> = {}): Promise<NotifyResult> {
    if (plan.kind !== 'notify') throw new Error(`nothing is to be sent: ${JSON.stringify(plan)}`);
    const episode = (await this.attention(person))?.episode ?? 0;
    const { attemptId, conversationIds, alert } = plan;
    return notify(this.deps, plan.channel, {
      userId: person.id as UserId,
      episode,
      attemptId,
      conversationIds,
      alert,
      ...extra,
    });
  }

  /** Arms, starts, and does what is due now; answers with the channels in their order, and what comes then. */
  async walk(person: Pick<Person, 'id'>): Promise<string[]> {
    while ((await this.arm()) > 0);
    await this.start();
    const story: string[] = [];
    for (;;) {
      const plan = await this.decide(person);
      if (plan.kind === 'finished') return [...story, plan.outcome];
      if (plan.kind === 'wait') return [...story, `wait ${plan.next} ${plan.why}`];
      story.push(plan.channel);
      await this.notify(person, plan);
    }
  }

  attempts(person: Pick<Person, 'id'>) {
    return this.rows<{ id: string; channel: Channel; state: string; error_class: string | null }>(
      'select id, channel, state, error_class from attempts where user_id = $1 order by claimed_at, id',
      person.id,
    );
  }

  async close(): Promise<void> {
    await this.sql.end();
    await this.app.stop();
  }
}

async function ask<Message>(provider: ByHandProvider<Message>, message: Message): Promise<SendOutcome> {
  provider.sent.push(message);
  return (await provider.answer(message, provider.sent.length)) ?? accepted;
}

const willing: Episodes = {
  start: async ({ userId, episode }) => `attention/${userId}/${episode}`,
  nudge: async () => 'nudged',
};

export async function attentionByHand(): Promise<ByHand> {
  const app = await startApp();
  const sql = new pg.Client(app.database.url);
  await sql.connect();
  return new ByHand(app, sql);
}
