/** Chances that a seed repeats: mulberry32, small and good enough to choose what happens next. */
export interface Random {
  /** From 0 up to and without 1. */
  next(): number;
  /** From 0 up to and without `below`. */
  below(below: number): number;
  chance(probability: number): boolean;
  /** One of them; undefined where there are none. */
  pick<Item>(items: readonly Item[]): Item | undefined;
  /** A stream of its own, that does not depend on how far this one has come. */
  fork(name: string): Random;
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    next,
    below,
    chance: (probability) => next() < probability,
    pick: (items) => items[below(items.length)],
    fork: (name) => createRandom(hash(`${seed} ${name}`)),
  };
}

/** FNV-1a. */
function hash(text: string): number {
  let mixed = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    mixed = Math.imul(mixed ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return mixed;
}
