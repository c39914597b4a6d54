import { meEndpoints } from '../../contracts/rest/index.ts';
import {
  blockUser,
  changeContact,
  forgetDevice,
  getMe,
  getNotificationSettings,
  getUser,
  listBlocks,
  listDevices,
  putDevice,
  unblockUser,
  updateMe,
  updateNotificationSettings,
  verifyContact,
} from '../../domain/accounts/index.ts';
import { listSuppressions, receiveNotificationReceipt, resubscribe } from '../../domain/attention/index.ts';
import { explainMyNotification } from '../../domain/support/index.ts';
import { type Operations, reply } from '../operations.ts';

export function meRoutes(operations: Operations): void {
  operations.add(meEndpoints.getMe, async ({ deps, actor }) => reply(200, await getMe(deps, actor)));
  operations.add(meEndpoints.updateMe, async ({ deps, actor, body }) => reply(200, await updateMe(deps, actor, body)));
  operations.add(meEndpoints.setEmail, async ({ deps, actor, body }) =>
    reply(202, await changeContact(deps, actor, { channel: 'email', target: body.email })),
  );
  operations.add(meEndpoints.verifyEmail, async ({ deps, actor, body }) =>
    reply(200, await verifyContact(deps, actor, 'email', body.code)),
  );
  operations.add(meEndpoints.setPhone, async ({ deps, actor, body }) =>
    reply(202, await changeContact(deps, actor, { channel: 'sms', target: body.phone })),
  );
  operations.add(meEndpoints.verifyPhone, async ({ deps, actor, body }) =>
    reply(200, await verifyContact(deps, actor, 'sms', body.code)),
  );
  operations.add(meEndpoints.getUser, async ({ deps, actor, params }) =>
    reply(200, await getUser(deps, actor, params.id)),
  );
  operations.add(meEndpoints.listBlocks, async ({ deps, actor }) =>
    reply(200, { items: await listBlocks(deps, actor) }),
  );
  operations.add(meEndpoints.blockUser, async ({ deps, actor, params }) => {
    await blockUser(deps, actor, params.userId);
    return reply(204, undefined);
  });
  operations.add(meEndpoints.unblockUser, async ({ deps, actor, params }) => {
    await unblockUser(deps, actor, params.userId);
    return reply(204, undefined);
  });
  operations.add(meEndpoints.putDevice, async ({ deps, actor, params, body }) =>
    reply(200, await putDevice(deps, actor, params.deviceId, body)),
  );
  operations.add(meEndpoints.listDevices, async ({ deps, actor }) =>
    reply(200, { items: await listDevices(deps, actor) }),
  );
  operations.add(meEndpoints.deleteDevice, async ({ deps, actor, params }) => {
    await forgetDevice(deps, actor, params.deviceId);
    return reply(204, undefined);
  });
  operations.add(meEndpoints.acknowledgeNotification, async ({ deps, actor, params, body }) => {
    await receiveNotificationReceipt(deps, actor, params.attemptId, body);
    return reply(204, undefined);
  });
  operations.add(meEndpoints.explainMyNotification, async ({ deps, actor, params }) =>
    reply(200, await explainMyNotification(deps, actor, params.attemptId)),
  );
  operations.add(meEndpoints.getNotificationSettings, async ({ deps, actor }) => {
    const { settings, version } = await getNotificationSettings(deps, actor);
    return reply(200, settings, version);
  });
  operations.add(meEndpoints.updateNotificationSettings, async ({ deps, actor, body, ifMatch }) => {
    const { settings, version } = await updateNotificationSettings(deps, actor, body, ifMatch);
    return reply(200, settings, version);
  });
  operations.add(meEndpoints.listSuppressions, async ({ deps, actor }) =>
    reply(200, { items: await listSuppressions(deps, actor) }),
  );
  operations.add(meEndpoints.resubscribe, async ({ deps, actor }) => {
    await resubscribe(deps, actor);
    return reply(204, undefined);
  });
}
