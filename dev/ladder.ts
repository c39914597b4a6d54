import { ladderSetting } from '../platform/config-types.ts';
import type { Steps } from './run-file.ts';

/** The steps of a ladder as the app will read it; nothing where it will refuse it, which it says itself. */
export function stepsOf(setting: string): Steps | undefined {
  const { data } = ladderSetting.safeParse(setting);
  return data && { pushMs: data.pushMs, emailMs: data.emailMs, smsMs: data.smsMs };
}

/** As in "push after 1.5 s, mail after 20 s, SMS after 40 s". */
export function stepsInWords({ pushMs, emailMs, smsMs }: Steps): string {
  return `push after ${inWords(pushMs)}, mail after ${inWords(emailMs)}, SMS after ${inWords(smsMs)}`;
}

function inWords(ms: number): string {
  const units = [
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1_000, 's'],
  ] as const;
  const [unit, name] = units.find(([size]) => ms >= size && ms % size === 0) ?? [1_000, 's'];
  return `${ms / unit} ${name}`;
}
