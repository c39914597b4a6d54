import { createServer, type Server } from 'node:http';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** What stands between this node and people, as it is when somebody asks: a figure that was noted would stand still with the node. */
export function measureFence(
  { registry }: Metrics,
  fence: { readonly isFenced: boolean; readonly ageMs: number },
): void {
  const registers = [registry];
  new Gauge({
    name: 'homing_fenced',
    help: '1 while this process lets in nobody, because it does not know which sessions have ended',
    registers,
    collect() {
      this.set(fence.isFenced ? 1 : 0);
    },
  });
  new Gauge({
    name: 'homing_ended_sessions_age_seconds',
    help: 'Since this process last read which sessions have ended, whole; infinite before the first time',
    registers,
    collect() {
      this.set(fence.ageMs / 1_000);
    },
  });
}

/** The process's figures, in Prometheus' form. Labels are from small closed sets, never ids. */
export function createMetrics(role: string) {
  const registry = new Registry();
  registry.setDefaultLabels({ role });
  collectDefaultMetrics({ register: registry, prefix: 'homing_' });
  const registers = [registry];
  const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
  const metrics = {
    registry,
    requests: new Histogram({
      name: 'homing_request_seconds',
      help: 'REST calls by operation and status class',
      labelNames: ['operation', 'status'],
      buckets: seconds,
      registers,
    }),
    socketEvents: new Histogram({
      name: 'homing_socket_event_seconds',
      help: 'Client events by name and outcome',
      labelNames: ['event', 'outcome'],
      buckets: seconds,
      registers,
    }),
    rateLimits: new Counter({
      name: 'homing_rate_limit_decisions_total',
      help: 'What was asked of rate limits, by limiter and result; of the events of sockets only what was refused',
      labelNames: ['limiter', 'result'],
      registers,
    }),
    rateLimitsAlone: new Counter({
      name: 'homing_rate_limit_alone_total',
      help: 'Of these, what this node decided by itself because Redis had no answer',
      labelNames: ['limiter'],
      registers,
    }),
    rateLimitsLeftAlone: new Gauge({
      name: 'homing_rate_limit_redis_left_alone',
      help: '1 while Redis is not asked for rate limits, as it has not answered in time',
      registers,
    }),
    leakedPasswords: new Counter({
      name: 'homing_leaked_password_lookups_total',
      help: 'New passwords that somebody was asked about: leaked, unknown, or unanswered in time and taken',
      labelNames: ['result'],
      registers,
    }),
    sockets: new Gauge({ name: 'homing_sockets', help: 'Open sockets', registers }),
    digestLooks: new Counter({
      name: 'homing_digest_looks_total',
      help: 'Looks of the digest, each at a fifteenth of the conversations',
      registers,
    }),
    outboxRows: new Gauge({ name: 'homing_outbox_rows', help: 'Rows that wait in the outbox', registers }),
    outboxAge: new Gauge({
      name: 'homing_outbox_oldest_seconds',
      help: 'Age of the oldest row in the outbox',
      registers,
    }),
    relayed: new Counter({
      name: 'homing_relayed_total',
      help: 'What the relay has seen to',
      labelNames: ['kind'],
      registers,
    }),
    reports: new Counter({
      name: 'homing_provider_reports_total',
      help: 'Posts of providers by what became of them; refused are those without a good signature',
      labelNames: ['source', 'result'],
      registers,
    }),
    pushAccepted: new Histogram({
      name: 'homing_push_accepted_seconds',
      help: 'From the oldest message that a push tells of to the provider’s yes',
      buckets: [0.5, 1, 2, 3, 5, 10, 20, 30, 60, 300, 1_800, 3_600, 14_400],
      registers,
    }),
    announced: new Counter({
      name: 'homing_announced_total',
      help: 'What a provider took, by channel and whether all of it was read while the provider was asked',
      labelNames: ['channel', 'read'],
      registers,
    }),
    providerCalls: new Histogram({
      name: 'homing_provider_call_seconds',
      help: 'Calls that send something, by provider and outcome',
      labelNames: ['provider', 'class'],
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60],
      registers,
    }),
    smsSegments: new Counter({
      name: 'homing_sms_segments_total',
      help: 'Parts of the texts that Twilio took, by their encoding: what is paid for',
      labelNames: ['encoding'],
      registers,
    }),
    reported: new Counter({
      name: 'homing_reported_total',
      help: 'Reports that were seen to, by provider and fact: deliveries, bounces, complaints',
      labelNames: ['source', 'fact'],
      registers,
    }),
    acknowledged: new Counter({
      name: 'homing_notifications_acknowledged_total',
      help: 'Notifications that a device says it shows, or that somebody opened',
      labelNames: ['event'],
      registers,
    }),
    reportLag: new Histogram({
      name: 'homing_report_lag_seconds',
      help: 'Of reports: told, from what happened to its coming, as far as providers say; applied, from there on',
      labelNames: ['source', 'part'],
      buckets: [0.1, 0.5, 1, 5, 15, 60, 300, 1_800, 7_200, 21_600, 86_400],
      registers,
    }),
    reportsAge: new Gauge({
      name: 'homing_reports_oldest_seconds',
      help: 'Age of the oldest report that was not seen to',
      registers,
    }),
    unreadable: new Gauge({
      name: 'homing_unreadable_reports',
      help: 'Signed reports that were not understood and wait for a person',
      registers,
    }),
    recounted: new Counter({
      name: 'homing_recounted_total',
      help: 'What the recount looked at, by walk and verdict; excused is what the rules of its time are not known of',
      labelNames: ['walk', 'verdict'],
      registers,
    }),
    differencesFound: new Counter({
      name: 'homing_differences_found_total',
      help: 'Differences between the recount and the ledger as they were found, by kind',
      labelNames: ['kind'],
      registers,
    }),
    differences: new Gauge({
      name: 'homing_differences',
      help: 'Differences between the recount and the ledger that there are now, by kind; 0 where everybody was told',
      labelNames: ['kind'],
      registers,
    }),
    recountBehind: new Gauge({
      name: 'homing_recount_behind_seconds',
      help: 'How far a walk of the recount is behind what it could have looked at',
      labelNames: ['walk'],
      registers,
    }),
    episodesEnded: new Counter({
      name: 'homing_episodes_ended_total',
      help: 'Episodes by how they ended, and the last channel on which something had been announced',
      labelNames: ['outcome', 'after'],
      registers,
    }),
    stuckSteps: new Gauge({
      name: 'homing_steps_need_operator',
      help: 'Steps that wait for a person now, by channel and reason',
      labelNames: ['channel', 'reason'],
      registers,
    }),
    relayFailures: new Counter({
      name: 'homing_relay_failures_total',
      help: 'Rounds of the relay that failed, by what they see to',
      labelNames: ['kind'],
      registers,
    }),
    circuits: new Gauge({
      name: 'homing_circuit_open',
      help: '1 while a provider is out of order and its sends wait, by why',
      labelNames: ['circuit', 'cause'],
      registers,
    }),
    untestedCircuits: new Gauge({
      name: 'homing_circuit_untested',
      help: '1 while nobody knows whether a provider that was out of order is back, as nobody has called for a while',
      labelNames: ['circuit'],
      registers,
    }),
    attempts: new Counter({
      name: 'homing_attempts_total',
      help: 'Steps of episodes by channel and result',
      labelNames: ['channel', 'result'],
      registers,
    }),
  };
  beginAtNought(metrics);
  return metrics;
}
export type Metrics = ReturnType<typeof createMetrics>;

const outcomes = [
  ...['ok', 'recipient_dead', 'recipient_opted_out', 'recipient_soft', 'content_rejected'],
  ...['config_outage', 'throttled', 'transient', 'ambiguous'],
];

/**
 * What somebody is woken or called for at its first time stands at 0 before that: to Prometheus a series that begins at 1
 * has not increased, and the first failures of a process would be seen by nobody.
 */
function beginAtNought({
  providerCalls,
  attempts,
  reports,
  reported,
}: Pick<Metrics, 'providerCalls' | 'attempts' | 'reports' | 'reported'>): void {
  for (const provider of ['fcm', 'sendgrid', 'twilio'])
    for (const fate of outcomes) providerCalls.zero({ provider, class: fate });
  for (const channel of ['push', 'email', 'sms']) attempts.inc({ channel, result: 'stuck' }, 0);
  for (const source of ['sendgrid', 'twilio'])
    for (const result of ['refused', 'limited']) reports.inc({ source, result }, 0);
  for (const fact of ['delivered', 'bounced', 'complained']) reported.inc({ source: 'sendgrid', fact }, 0);
}

/**
 * `GET /metrics` on a port of its own, which is never public; beside it the health pages, for roles without an API.
 * Resolves once it listens.
 */
export async function serveMetrics(
  metrics: Metrics,
  { host, port, ready }: { host: string; port: number; ready: () => Promise<{ ready: boolean }> },
): Promise<Server> {
  const server = createServer((request, response) => {
    void answer(request.url ?? '/').catch(() => response.writeHead(500).end());
    async function answer(path: string) {
      if (path === '/livez') return response.writeHead(200, json).end('{"live":true}');
      if (path === '/readyz') {
        const state = await ready();
        return response.writeHead(state.ready ? 200 : 503, json).end(JSON.stringify(state));
      }
      if (path !== '/metrics') return response.writeHead(404).end();
      return response
        .writeHead(200, { 'content-type': metrics.registry.contentType })
        .end(await metrics.registry.metrics());
    }
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  return server;
}
const json = { 'content-type': 'application/json' };
