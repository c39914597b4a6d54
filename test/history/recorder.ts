import { createReadStream, createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import type { ErrorCode } from '../../contracts/errors.ts';
import type { Answer, HistoryRecord, Operation } from './record.ts';

/** A record as it is handed in: the clock is the recorder's. */
type Untimed<One> = One extends HistoryRecord ? Omit<One, 'at'> : never;

/** What became of an attempt, for whoever made it. */
export type Outcome =
  | { result: 'ok'; answer: Answer }
  | { result: 'refused'; code: ErrorCode }
  | { result: 'unknown'; why: string };

/** Keeps the history of a run: all clients of it share this one, and with it one clock and one order. */
export class Recorder {
  records: HistoryRecord[] = [];
  #attempts = 0;

  add(record: Untimed<HistoryRecord>): void {
    this.records.push({ at: performance.now(), ...record } as HistoryRecord);
  }

  /** Writes down that the attempt begins, runs it, and writes down what became of it. */
  async attempt(who: string, operation: Operation, run: () => Promise<Outcome>): Promise<Outcome> {
    this.#attempts += 1;
    const attempt = this.#attempts;
    this.add({ kind: 'begin', who, attempt, operation });
    const outcome = await run().catch((error: Error): Outcome => ({ result: 'unknown', why: error.message }));
    if (outcome.result === 'ok') this.add({ kind: 'ok', who, attempt, answer: outcome.answer });
    if (outcome.result === 'refused') this.add({ kind: 'refused', who, attempt, code: outcome.code });
    if (outcome.result === 'unknown') this.add({ kind: 'unknown', who, attempt, why: outcome.why });
    return outcome;
  }

  /** Begins anew; attempts are counted on. */
  take(): HistoryRecord[] {
    const { records } = this;
    this.records = [];
    return records;
  }
}

/** One record a line. */
export async function writeHistory(file: string, records: readonly HistoryRecord[]): Promise<void> {
  const stream = createWriteStream(file);
  for (const record of records) if (!stream.write(`${JSON.stringify(record)}\n`)) await once(stream, 'drain');
  stream.end();
  await once(stream, 'finish');
}

/** What was written so. */
export async function readHistory(file: string): Promise<HistoryRecord[]> {
  const records: HistoryRecord[] = [];
  for await (const line of createInterface({ input: createReadStream(file) }))
    records.push(JSON.parse(line) as HistoryRecord);
  return records;
}
