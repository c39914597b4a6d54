import type { Word } from './read-uses.ts';

/** Where a word may, or may not, be used. */
export type UseRule = {
  readonly name: string;
  readonly words: readonly Word[];
  readonly within: string;
  readonly except: readonly string[];
  readonly why: string;
};

/** The words that belong to certain places, one sentence of reason each. */
export const useRules: readonly UseRule[] = [
  {
    name: 'environment-is-read-once',
    words: ['process.env'],
    within: '**',
    except: [
      ...['platform/config.ts', 'db/migrate.ts', 'dev/**', 'sandbox/main.ts', 'scripts/**'],
      // Starts processes, which read what it gives them.
      'bench/**',
      // Programs of their own, as their readers would write them.
      'docs/examples/**',
      ...['test/**', '**.test.ts'],
    ],
    why: 'The environment is checked whole in one place; what is read elsewhere is checked by nobody.',
  },
  {
    name: 'time-and-ids-are-dependencies',
    words: ['new Date()', 'Date.now()', 'Math.random()', 'crypto.randomUUID()'],
    within: 'domain/**',
    except: ['**.test.ts'],
    why: 'The domain asks deps for time and ids, so that a test can move the clock.',
  },
  {
    name: 'requests-leave-by-one-door',
    words: ['fetch()', 'new WebSocket()', 'http.request()', 'net.connect()'],
    within:
      '{activities/**,api/**,cli/**,contracts/**,db/**,domain/**,platform/**,realtime/**,temporal/**,workers/**,workflows/**,*.ts}',
    except: [
      'platform/egress.ts',
      // Asks ourselves, at the public address of the configuration, by the way that people come.
      'platform/limits/prove-address.ts',
      // Carries the requests of the SDK to a stand-in of the configuration.
      'platform/senders/push.ts',
      '**.test.ts',
    ],
    why: 'A request that does not leave by platform/egress.ts goes wherever somebody’s address says, inside too.',
  },
];
