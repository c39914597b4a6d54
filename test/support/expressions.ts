import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { createContext, runInContext } from 'node:vm';
import { join } from 'node:path';
import { Visitor, parseSync } from 'oxc-parser';

/** A regular expression as it stands in a file. */
export interface Expression {
  file: string;
  pattern: string;
  flags: string;
}

/** Every regular expression that is written down in these folders. */
export async function expressionsIn(root: string, folders: readonly string[]): Promise<Expression[]> {
  const found: Expression[] = [];
  for await (const file of glob(`{${folders.join()}}/**/*.ts`, { cwd: root })) {
    const { program } = parseSync(file, readFileSync(join(root, file), 'utf8'));
    new Visitor({
      Literal(node) {
        if ('regex' in node) found.push({ file, pattern: node.regex.pattern, flags: node.regex.flags });
      },
    }).visit(program);
  }
  return found;
}

/** The same, twice as long and four times. */
export type Ladder = readonly [once: string, twice: string, fourTimes: string];

/** Characters that classes are made of, and what people take expressions apart by. */
export const units: readonly string[] = [
  ...['a', 'A', '0', '9', '_', '-', '.', '/', ':', ' ', '\t', '\n', '@', '"', '%', '=', '+', '$', ',', '&', '<', '\\'],
  ...['é', 'ß', '🙂', '👩‍👩‍👧', '🇩🇪', '\u0301', '\u202a', '\ud800', '\u0000', '1️⃣'],
  ...['a-', 'a.', '1.', 'a/', '../', 'aA0', '((', '[[', 'a@', '%20', 'a ', ' a', '\r\n', '10/1s '],
];

/** The last is as long as a message may be. */
const length = 2_000;
const fill = (unit: string, size: number) => unit.repeat(Math.ceil(size / unit.length)).slice(0, size);

/** One unit over and over, behind a beginning that fits and before an end that does not. */
export const ladderOf = (unit: string, before = '', after = ''): Ladder => [
  before + fill(unit, length) + after,
  before + fill(unit, 2 * length) + after,
  before + fill(unit, 4 * length) + after,
];

/** Of each text that fits, every part over and over: where two ways lead through it, they multiply. */
export function pumped(fitting: readonly string[]): Ladder[] {
  return fitting.flatMap((text) =>
    Array.from({ length: Math.min(text.length, 10) }, (_, at) =>
      [1, 2].flatMap((size) => {
        const from = Math.floor((at * text.length) / Math.min(text.length, 10));
        const unit = text.slice(from, from + size);
        return [
          ladderOf(unit, text.slice(0, from), `${text.slice(from + size)}\u0000`),
          ladderOf(unit, text.slice(0, from), text.slice(from + size)),
        ];
      }),
    ).flat(),
  );
}

/** By how much the time grows when the text is twice as long: 2 where each character costs the same, 4 by pairs. */
function growth(work: (text: string) => unknown, text: string, twice: string, samples = 7): number {
  const ratios = Array.from({ length: samples }, () => timeOf(work, twice) / timeOf(work, text));
  return ratios.toSorted((a, b) => a - b)[Math.floor(samples / 2)] as number;
}

/** Microseconds of this thread's own work for one call; what else the machine does is not counted. */
function timeOf(work: (text: string) => unknown, text: string): number {
  let calls = 0;
  let spent = 0;
  const before = process.threadCpuUsage();
  // Long enough for the clock to tell.
  for (let more = 1; spent < 500; more *= 2) {
    for (let each = 0; each < more; each += 1) work(text);
    calls += more;
    const { user, system } = process.threadCpuUsage(before);
    spent = user + system;
  }
  return spent / calls;
}

/**
 * Growth that is more than a character's own cost, twice over and each time that it is measured. Once alone is no slope
 * but a step, as where the longer one is refused; and a machine with much to do shows other places each time.
 */
export function isSteep(work: (text: string) => unknown, [once, twice, fourTimes]: Ladder): boolean {
  if (!isCostly(work, twice, fourTimes)) return false;
  const isSteepNow = () => growth(work, twice, fourTimes, 3) > 3 && growth(work, once, twice, 3) > 3;
  return isSteepNow() && isSteepNow() && growth(work, twice, fourTimes) > 3;
}

/** One look at each is enough for what grows as it should. */
function isCostly(work: (text: string) => unknown, text: string, twice: string): boolean {
  const timeOnce = (given: string) => {
    const before = performance.now();
    work(given);
    return performance.now() - before;
  };
  work(text);
  return Math.min(timeOnce(twice), timeOnce(twice)) > 2.5 * Math.min(timeOnce(text), timeOnce(text));
}

const room = createContext({});

/** Asks an expression, and gives up on one that has no end: the ways through it double with every character. */
export function ends({ pattern, flags }: Expression, texts: readonly string[]): boolean {
  try {
    Object.assign(room, { pattern, flags, texts });
    runInContext('{ const one = new RegExp(pattern, flags); texts.forEach((text) => one.test(text)); }', room, {
      timeout: 10_000,
    });
    return true;
  } catch {
    return false;
  }
}
