import type { OperatorAnswer } from '../../contracts/workflows/escalate-unread.ts';
import { readConfig } from '../../platform/config.ts';
import { openTemporal } from '../../temporal/client.ts';
import type { TestApp } from '../setup/app.ts';

/** What the people who look after episodes see and do, of somebody's first one. */
export function operatorsOf(app: Pick<TestApp, 'env'>) {
  const { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace, HOMING_PAYLOAD_KEYS } = readConfig(app.env);
  const client = openTemporal({ address, namespace, payloadKeys: HOMING_PAYLOAD_KEYS });
  const handleOf = (userId: string, episode = 1) => client.workflow.getHandle(`attention/${userId}/${episode}`);
  const act = (name: string) => (userId: string) =>
    handleOf(userId).executeUpdate<OperatorAnswer, [object]>(name, { args: [{ by: 'Olga' }] });
  return {
    handleOf,
    /** What the top of the workflow's page says; nothing before it runs. */
    async details(userId: string): Promise<string> {
      const metadata = handleOf(userId).query<{ currentDetails?: string }>('__temporal_workflow_metadata');
      return (await metadata.catch(() => undefined))?.currentDetails ?? '';
    },
    retry: act('retry'),
    close: act('close'),
    disconnect: () => client.connection.close(),
  };
}
