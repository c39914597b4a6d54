import type { FieldFault } from '../contracts/errors.ts';
import { limits } from '../contracts/limits.ts';
import type { ClientEventName } from '../contracts/realtime/index.ts';
import { HomingError } from './errors.ts';

/** Around the JSON of a frame: the packet types of engine.io and Socket.IO, and an acknowledgement's id, however long. */
const aroundBytes = 2 + String(Number.MAX_SAFE_INTEGER).length;

/**
 * Refuses what no repeat would bring through. Over a frame that is too big the server closes the socket without a word:
 * that looks like a lost connection, after which everything is asked for again, this too.
 */
export function refuseTooLarge(name: ClientEventName, input: object): void {
  const fault = textFault(input) ?? frameFault(name, input);
  if (fault) throw new HomingError('invalid_input', { message: `${fault.path} ${fault.message}`, errors: [fault] });
}

/** What somebody has written: what is asked for carries it as the text of a message, or of an edit. */
function textFault(input: object): FieldFault | undefined {
  for (const [part, value] of Object.entries(input)) {
    const text = (value as { text?: unknown } | undefined)?.text;
    const length = typeof text === 'string' ? Array.from(text).length : 0;
    if (length > limits.messageTextLength)
      return tooBig(`${part}.text`, length, limits.messageTextLength, 'characters');
  }
  return undefined;
}

function frameFault(name: ClientEventName, input: object): FieldFault | undefined {
  const bytes = aroundBytes + bytesOf([name, input]);
  if (bytes <= limits.socketFrameBytes) return undefined;
  const [largest = name] = Object.entries(input)
    .sort(([, a], [, b]) => bytesOf(b) - bytesOf(a))
    .map(([part]) => part);
  return tooBig(largest, bytes, limits.socketFrameBytes, 'bytes of one frame');
}

const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)).length;

const tooBig = (path: string, is: number, most: number, unit: string): FieldFault => ({
  ...{ path, code: 'too_big' },
  message: `must have at most ${most} ${unit}, and has ${is}: shorten it, or send it in parts`,
});
