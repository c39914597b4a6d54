import { CodedError, faultsOf } from '../contracts/errors.ts';
import type { Deps, ReportDoor } from '../domain/deps.ts';

/** What the commands work on. */
export interface Console {
  deps: Pick<
    Deps,
    | 'db'
    | 'now'
    | 'newId'
    | 'mac'
    | 'log'
    | 'meter'
    | 'passwords'
    | 'publishLive'
    | 'workflowUrl'
    | 'jobs'
    | 'makeSigningKey'
  >;
  /** Whoever has the command line has the database anyway. */
  by: { operator: string };
  /** How providers report. */
  doors: readonly ReportDoor[];
  /** Says how a long command goes, beside what it answers in the end. */
  tell: (text: string) => void;
  close(): Promise<void>;
}

type Texts = 'role' | 'name' | 'email' | 'phone' | 'cursor' | 'head';
type JobTexts = 'where' | 'channel' | 'note' | 'minutes' | 'request' | 'rate';
export type Options = Record<Texts | JobTexts, string | undefined> & { json: boolean; rearm: boolean; dryRun: boolean };
export type Command = (console: Console, given: string[], options: Options) => Promise<string>;

/** The command was not understood; the message says how it is written. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** What a schema makes of a word, or a refusal that names the word. */
export function parse<Output>(
  schema: {
    safeParse(value: unknown): { success: true; data: Output } | { success: false; error: { issues: Issues } };
  },
  value: unknown,
  name: string,
): Output {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new CodedError('invalid_input', { errors: faultsOf(parsed.error.issues, name) });
}
type Issues = Parameters<typeof faultsOf>[0];
