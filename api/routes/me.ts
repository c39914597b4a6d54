import type { IRouter } from 'express';
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
import type { Deps } from '../../domain/deps.ts';
import { type RouteOptions, reply, route } from '../route.ts';

export function meRoutes(router: IRouter, routes: RouteOptions, deps: Deps): void {
  route(router, meEndpoints.getMe, routes, async ({ actor }) => reply(200, await getMe(deps, actor)));
  route(router, meEndpoints.updateMe, routes, async ({ actor, body }) => reply(200, await updateMe(deps, actor, body)));
  route(router, meEndpoints.setEmail, routes, async ({ actor, body }) =>
    reply(202, await changeContact(deps, actor, { channel: 'email', target: body.email })),
  );
  route(router, meEndpoints.verifyEmail, routes, async ({ actor, body }) =>
    reply(200, await verifyContact(deps, actor, 'email', body.code)),
  );
  route(router, meEndpoints.setPhone, routes, async ({ actor, body }) =>
    reply(202, await changeContact(deps, actor, { channel: 'sms', target: body.phone })),
  );
  route(router, meEndpoints.verifyPhone, routes, async ({ actor, body }) =>
    reply(200, await verifyContact(deps, actor, 'sms', body.code)),
  );
  route(router, meEndpoints.getUser, routes, async ({ actor, params }) =>
    reply(200, await getUser(deps, actor, params.id)),
  );
  route(router, meEndpoints.listBlocks, routes, async ({ actor }) =>
    reply(200, { items: await listBlocks(deps, actor) }),
  );
  route(router, meEndpoints.blockUser, routes, async ({ actor, params }) => {
    await blockUser(deps, actor, params.userId);
    return reply(204, undefined);
  });
  route(router, meEndpoints.unblockUser, routes, async ({ actor, params }) => {
    await unblockUser(deps, actor, params.userId);
    return reply(204, undefined);
  });
  route(router, meEndpoints.putDevice, routes, async ({ actor, params, body }) =>
    reply(200, await putDevice(deps, actor, params.deviceId, body)),
  );
  route(router, meEndpoints.listDevices, routes, async ({ actor }) =>
    reply(200, { items: await listDevices(deps, actor) }),
  );
  route(router, meEndpoints.deleteDevice, routes, async ({ actor, params }) => {
    await forgetDevice(deps, actor, params.deviceId);
    return reply(204, undefined);
  });
  route(router, meEndpoints.getNotificationSettings, routes, async ({ actor }) => {
    const { settings, version } = await getNotificationSettings(deps, actor);
    return reply(200, settings, version);
  });
  route(router, meEndpoints.updateNotificationSettings, routes, async ({ actor, body, ifMatch }) => {
    const { settings, version } = await updateNotificationSettings(deps, actor, body, ifMatch);
    return reply(200, settings, version);
  });
}
