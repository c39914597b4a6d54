import type { Meter } from '../domain/deps.ts';
import type { LimitsMeter } from './limits/index.ts';
import type { Metrics } from './metrics.ts';

/** What the domain says of itself, as figures of the process. */
export function createMeter(metrics: Metrics): Meter {
  return {
    announced(channel, { waitedMs, readMeanwhile }) {
      metrics.announced.inc({ channel, read: readMeanwhile ? 'yes' : 'no' });
      if (channel === 'push') metrics.pushAccepted.observe(waitedMs / 1_000);
    },
    reported(source, fact, { toldMs, waitedMs }) {
      metrics.reported.inc({ source, fact });
      if (toldMs !== null) metrics.reportLag.observe({ source, part: 'told' }, toldMs / 1_000);
      metrics.reportLag.observe({ source, part: 'applied' }, waitedMs / 1_000);
    },
    acknowledged: (event) => metrics.acknowledged.inc({ event }),
    recounted(walk, { agreed, excused, kinds, ended }) {
      metrics.recounted.inc({ walk, verdict: 'agrees' }, agreed);
      metrics.recounted.inc({ walk, verdict: 'excused' }, excused);
      metrics.recounted.inc({ walk, verdict: 'differs' }, kinds.length);
      for (const kind of kinds) metrics.differencesFound.inc({ kind });
      for (const { outcome, after } of ended) metrics.episodesEnded.inc({ outcome, after });
    },
  };
}

/** The same of rate limits: of each limiter its series are looked up once, for a send counts two. */
export function createLimitsMeter(metrics: Metrics): LimitsMeter {
  const series = new Map<string, { inc(): void }>();
  const seriesOf = (limiter: string, result: string) => {
    const name = `${limiter} ${result}`;
    const known = series.get(name) ?? metrics.rateLimits.labels({ limiter, result });
    series.set(name, known);
    return known;
  };
  return {
    decided(limiter, result, alone) {
      seriesOf(limiter, result).inc();
      if (alone) metrics.rateLimitsAlone.inc({ limiter });
    },
    leftAlone: (is) => metrics.rateLimitsLeftAlone.set(is ? 1 : 0),
  };
}
