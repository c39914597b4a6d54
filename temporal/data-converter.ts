import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { createCodec } from './codec.ts';

/** The path is needed apart: the bundle of the workflows is built with it. */
export const failureConverterPath = fileURLToPath(new URL('./failure-converter.ts', import.meta.url));

/** How payloads and failures are written: the same for clients, workers, replay and the codec endpoint. */
export function createDataConverter(keys: readonly { kid: string; key: string }[]): DataConverter {
  return { payloadCodecs: [createCodec(keys)], failureConverterPath };
}
