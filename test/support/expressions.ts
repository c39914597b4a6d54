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

/** Milliseconds below which nobody is held up: going through the longest text by pairs of its characters takes many. */
const harmlessMs = 1;

/**
 * Growth that is more than a character's own cost, each time that it is measured: four times the text is four times the
 * time where each costs the same, and sixteen by pairs. Growth in one half alone is no slope but a step, as where the
 * longer one is refused; and a machine with much to do shows other places each time.
 */
export function isSteep(work: (text: string) => unknown, ladder: Ladder): boolean {
  const isSteepNow = (samples: number) => {
    const [once, twice, fourTimes] = leastTimes(work, ladder, samples);
    return fourTimes > harmlessMs && fourTimes > 8 * once && fourTimes > 2.4 * twice && twice > 2.4 * once;
  };
  return isSteepNow(3) && isSteepNow(7) && isSteepNow(7);
}

/** Milliseconds for each text, by turns: what else the machine does only adds to them, so the least is nearest. */
function leastTimes(work: (text: string) => unknown, ladder: Ladder, samples: number): [number, number, number] {
  const least: [number, number, number] = [Infinity, Infinity, Infinity];
  for (let each = 0; each < samples; each += 1)
    for (const [at, text] of ladder.entries()) {
      const before = performance.now();
      work(text);
      least[at as 0] = Math.min(least[at] as number, performance.now() - before);
    }
  return least;
}

/** Milliseconds for all texts together: a hundred times what the slowest of ours takes. */
const endMs = 2_000;
const room = createContext({});

/** Asks an expression, and gives up on one that has no end: the ways through it double with every character. */
export function ends({ pattern, flags }: Expression, texts: readonly string[]): boolean {
  try {
    Object.assign(room, { pattern, flags, texts });
    runInContext('{ const one = new RegExp(pattern, flags); texts.forEach((text) => one.test(text)); }', room, {
      timeout: endMs,
    });
    return true;
  } catch {
    return false;
  }
}
