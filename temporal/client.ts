import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import { createDataConverter } from './data-converter.ts';

export interface TemporalOptions {
  address: string;
  namespace: string;
  payloadKeys: readonly { kid: string; key: string }[];
  /** Undefined: in the clear. */
  tls?: ConnectionOptions['tls'] | undefined;
}

/**
 * gRPC waits longer with each vain try to connect, up to two minutes; what is owed shall go out soon after Temporal has
 * come back.
 */
const channelArgs = { 'grpc.initial_reconnect_backoff_ms': 250, 'grpc.max_reconnect_backoff_ms': 2_000 };

/** A client that connects when it is first used: the process comes up while Temporal is away. */
export function openTemporal({ address, namespace, payloadKeys, tls }: TemporalOptions): Client {
  const connection = Connection.lazy({ address, ...(tls ? { tls } : {}), connectTimeout: 3_000, channelArgs });
  return new Client({ connection, namespace, dataConverter: createDataConverter(payloadKeys) });
}
