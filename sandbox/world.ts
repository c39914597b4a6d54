import { Clock } from './clock.ts';
import { Ids } from './ids.ts';
import { Lifecycles } from './lifecycles.ts';
import { Magic } from './magic.ts';
import { Rules } from './rules.ts';
import { Store } from './store.ts';
import { Suppressions } from './suppressions.ts';
import { Webhooks, type WebhookOptions } from './webhooks.ts';

export interface WorldOptions extends WebhookOptions {
  /** Gives the same ids and chances in every run. */
  seed?: string | undefined;
}

/** Everything that one sandbox holds. */
export interface World {
  clock: Clock;
  ids: Ids;
  store: Store;
  rules: Rules;
  magic: Magic;
  suppressions: Suppressions;
  webhooks: Webhooks;
  lifecycles: Lifecycles;
}

export function createWorld({ seed, ...options }: WorldOptions = {}): World {
  const clock = new Clock();
  const ids = new Ids(seed);
  const store = new Store(clock, ids);
  const suppressions = new Suppressions(clock);
  const webhooks = new Webhooks({ clock, ids, store }, options);
  const lifecycles = new Lifecycles({ clock, ids, store, suppressions, webhooks });
  return { clock, ids, store, rules: new Rules(clock, ids), magic: new Magic(), suppressions, webhooks, lifecycles };
}

/** Forgets what came and what was to come of it. Rules, lists and webhook settings stay. */
export function clear({ store, clock, magic }: World): void {
  clock.forget();
  magic.forget();
  store.clear();
}
