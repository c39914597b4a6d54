import winston from 'winston';
import type { Log } from '../domain/deps.ts';

export interface LoggerOptions {
  /** Readable lines in development, JSON elsewhere. */
  readable: boolean;
  level: string;
  role: string;
}

// What a field is called says whether it may be printed. The list is of names, because a token or text cannot be told
// from an id by its looks.
const secretNames =
  /^(.*token|.*password|.*secret|authorization|cookie|text|body|email|phone|address|to|code_value|identifier|title|subject|html|key|apikey|api_key)$/i;
/** Longest string that a field may hold; stacks and messages of libraries are cut there. */
const maxLength = 2_000;
const maxDepth = 6;

/**
 * One structured line a thing that happened. Whatever is passed in: fields with the name of something personal or secret
 * come out as `[redacted]`, and errors as name, code, message and stack only, because two of the providers' SDKs hang
 * whole requests with credentials on theirs.
 */
export function createLogger({ readable, level, role }: LoggerOptions): winston.Logger {
  const redacted = winston.format((line) => redactLine(line) as typeof line)();
  const { combine, timestamp, json, printf } = winston.format;
  const plain = printf(
    ({ timestamp: at, level: severity, message, role: from, ...fields }) =>
      `${String(at).slice(11, 23)} ${severity.padEnd(5)} ${String(from)} ${String(message)}${Object.keys(fields).length > 0 ? ` ${JSON.stringify(fields)}` : ''}`,
  );
  return winston.createLogger({
    level,
    defaultMeta: { role },
    format: combine(timestamp(), redacted, readable ? plain : json()),
    transports: [new winston.transports.Console({ stderrLevels: [] })],
  });
}

/** The domain's narrow view of the logger. */
export function toLog(logger: winston.Logger): Log {
  return {
    info: (message, fields) => void logger.info(message, fields),
    warn: (message, fields) => void logger.warn(message, fields),
    error: (message, fields) => void logger.error(message, fields),
  };
}

function redactLine(line: Record<string, unknown>): Record<string, unknown> {
  // Winston reads level and message from symbols and these keys; all else is ours to look at.
  for (const [name, value] of Object.entries(line)) {
    if (name === 'level' || name === 'message' || name === 'timestamp') continue;
    line[name] = redact(name, value, 0);
  }
  return line;
}

function redact(name: string, value: unknown, depth: number): unknown {
  if (secretNames.test(name) && value !== undefined && value !== null) return '[redacted]';
  if (value instanceof Error) return describeError(value, depth);
  if (typeof value === 'string') return scrub(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= maxDepth) return '[deep]';
  if (Array.isArray(value)) return value.slice(0, 100).map((item) => redact('', item, depth + 1));
  if (value instanceof Date) return value.toISOString();
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, redact(key, inner, depth + 1)]));
}

/** What of an error is safe to keep. Its other fields may hold the request that failed. */
export function describeError(error: Error, depth = 0): Record<string, unknown> {
  const { code } = error as NodeJS.ErrnoException;
  return {
    name: error.name,
    ...(typeof code === 'string' ? { code } : {}),
    message: scrub(error.message),
    stack: scrub(error.stack ?? ''),
    ...(error.cause instanceof Error && depth < maxDepth ? { cause: describeError(error.cause, depth + 1) } : {}),
  };
}

// What stands before each is looked at once: without that a long word is begun at every character of it.
const personal: readonly [RegExp, string][] = [
  [/(?<![\w.+-])[\w.+-]+@[\w-]+(\.[\w-]+)+/g, '[address]'],
  [/\+\d{7,15}\b/g, '[number]'],
  [/eyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, '[token]'],
  [/\bSG\.[\w.-]+/g, '[key]'],
  [/\b(bearer|basic) [\w+/=.-]+/gi, '$1 [redacted]'],
  [/(?<!\w)(\w+:\/\/)[^\s/@]+@/g, '$1[redacted]@'],
];

/** Takes what looks like an address, a number, a token or a credential out of free text such as a library's message. */
function scrub(text: string): string {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
  return personal.reduce((result, [pattern, replacement]) => result.replaceAll(pattern, replacement), cut);
}
