import { parseArgs } from 'node:util';

export interface StartFlags {
  fresh: boolean;
  help: boolean;
  elasticsearch: boolean;
  /** Preferred port of the API. */
  port: number | undefined;
  /** Folder of this run's data, logs and run.json, where it is not the usual one. */
  state: string | undefined;
}

export const startHelp = `npm start -- [flags]

  --fresh                begin with empty data
  --with elasticsearch   run Elasticsearch too, for search
  --port N               port of the API (default: the last one, at first 4000; the next free one where it is taken)
  --state DIR            keep data, logs and run.json there (default: .homing)
  --help                 this list
`;

/** A flag that we do not know or understand. The message is for the person, with the list of flags. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** Reads the flags of npm start. */
export function parseStartFlags(args: readonly string[]): StartFlags {
  const { fresh, help, port, state, with: extras } = parse(args);
  for (const extra of extras ?? []) if (extra !== 'elasticsearch') throw usage(`--with does not know "${extra}"`);
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) > 0 && Number(port) < 65_536)) {
    throw usage(`--port must be a number from 1 to 65535, not "${port}"`);
  }
  return {
    fresh: fresh ?? false,
    help: help ?? false,
    elasticsearch: (extras ?? []).length > 0,
    port: port === undefined ? undefined : Number(port),
    state,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        fresh: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        port: { type: 'string' },
        state: { type: 'string' },
        with: { type: 'string', multiple: true },
      },
    }).values;
  } catch (error) {
    throw usage((error as Error).message.split('.')[0] ?? '');
  }
}

function usage(what: string): UsageError {
  return new UsageError(`${what}.\n\n${startHelp}`);
}
