import type { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import { searchAttributes } from '../contracts/workflows/names.ts';

// A CommonJS package whose names Node cannot see from outside.
const { temporal } = proto;

/** Days that a closed story can be looked at. */
const retentionDays = 7;
/** gRPC's code for what exists already. */
const alreadyExists = 6;

type Rpc = Pick<Connection, 'workflowService' | 'operatorService'>;

/** Makes the namespace and the search attributes when they are missing. Any number of processes may do it at once. */
export async function setUpNamespace({ workflowService, operatorService }: Rpc, namespace: string): Promise<void> {
  await tolerating(alreadyExists, () =>
    workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: msToTs(retentionDays * 86_400_000),
    }),
  );
  const wanted = Object.fromEntries(Object.entries(searchAttributes).map(([name, type]) => [name, typeOf[type]]));
  const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
  const missing = Object.fromEntries(Object.entries(wanted).filter(([name]) => !(name in (customAttributes ?? {}))));
  if (Object.keys(missing).length === 0) return;
  await tolerating(alreadyExists, () => operatorService.addSearchAttributes({ namespace, searchAttributes: missing }));
}

const typeOf = {
  KEYWORD: temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  KEYWORD_LIST: temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
  BOOL: temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
};

async function tolerating(code: number, call: () => Promise<unknown>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if ((error as { code?: number }).code !== code) throw error;
  }
}
