import { Client, Connection } from '@temporalio/client';
import { createDataConverter } from './data-converter.ts';

export interface TemporalOptions {
  address: string;
  namespace: string;
  payloadKeys: readonly { kid: string; key: string }[];
}

/** A client that connects when it is first used: the process comes up while Temporal is away. */
export function openTemporal({ address, namespace, payloadKeys }: TemporalOptions): Client {
  const connection = Connection.lazy({ address, connectTimeout: 3_000 });
  return new Client({ connection, namespace, dataConverter: createDataConverter(payloadKeys) });
}
