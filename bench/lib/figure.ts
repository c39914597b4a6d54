import type { OwnerDb, Stage } from './stage.ts';

/** One line of the table: what was measured, against what, and what we want of it. */
export interface Line {
  figure: string;
  reference: string;
  /** Of the candidate and of the reference, in the same unit, medians over the rounds. */
  candidate: number;
  against: number;
  unit: string;
  /** Candidate to reference, or a bound on the candidate alone. */
  ratio: number;
  /** Empty where a line only shows how things are. */
  goal: string;
  reached: boolean;
  /** Processors' worth that other programs took while it was measured, at worst. */
  othersCpu: number;
  /** One point of the overload's curve. */
  point?: { offered: number; stored: number; refused: number; p50Ms: number; p99Ms: number };
}

export interface Round {
  stage: Stage;
  /** Work as the owner of the tables, with time for large statements. */
  withOwner: <T>(work: (owner: OwnerDb) => Promise<T>) => Promise<T>;
  /** Rounds of reference and candidate, one after the other. */
  rounds: number;
  /** Seconds of one measurement. */
  seconds: number;
  report: (line: string) => void;
}

export interface Figure {
  name: string;
  what: string;
  measure: (round: Round) => Promise<Line[]>;
}
