import { randomBytes } from 'node:crypto';
import { type Request, Router } from 'express';
import { type ProviderAnswer, fcmError, named } from './answers.ts';
import { type FcmBody, type FcmMessage, formOf, shapeFcm } from './shapes.ts';
import type { NewItem } from './store.ts';
import { type Send, others, sends } from './take.ts';
import type { World } from './world.ts';

/** Bytes of a message's data and notification, to one device and to a topic. */
const maxBytes = { device: 4_096, topic: 2_048 };
/** Seconds that FCM keeps what it cannot deliver: four weeks. */
const maxTtl = 2_419_200;
/** Bytes of a collapse id, by APNs. */
const maxCollapseId = 64;
/** Names that data may not have. */
const reservedKey = /^(from|message_type|google.*|gcm.*)$/;

/** FCM HTTP v1, and Google's OAuth endpoint. */
export function fcmFace(world: World): Router {
  const router = Router();
  router.post('/v1/projects/:project/messages\\:send', sends(world, fcmSend));
  router.post('/token', others(world, 'fcm', oauthToken, true));
  return router;
}

function fcmSend(request: Request): Send {
  const { body, fault } = shapeFcm(request.body);
  const message = body.message ?? {};
  const name = `projects/${String(request.params.project)}/messages`;
  const isTrial = body.validateOnly === true;
  return {
    provider: 'fcm',
    to: recipientOf(message),
    attemptId: attemptOf(message),
    refusal: checkFcm(request, body, fault),
    items: isTrial ? [] : [toItem(message)],
    accepted: ([item]) => ({ status: 200, body: { name: `${name}/${item?.id ?? 'fake_message_id'}` } }),
  };
}

const recipientOf = ({ token, fid, topic, condition }: FcmMessage) =>
  token ?? fid ?? (topic === undefined ? (condition ?? '') : `/topics/${topic}`);
const attemptOf = ({ data = {} }: FcmMessage) => (typeof data.attemptId === 'string' ? data.attemptId : null);

function toItem(message: FcmMessage): NewItem {
  const { data = {}, apns, android, notification } = message;
  const aps = apns?.payload?.aps;
  const alert = aps?.alert ?? notification;
  const collapseKey = apns?.headers?.['apns-collapse-id'] ?? android?.collapseKey;
  return {
    channel: 'push',
    provider: 'fcm',
    to: recipientOf(message),
    attemptId: attemptOf(message),
    title: alert?.title ?? '',
    text: alert?.body ?? '',
    data,
    ...(alert ? {} : { silent: true }),
    ...(collapseKey === undefined ? {} : { collapseKey }),
    ...(aps?.['thread-id'] === undefined ? {} : { threadId: aps['thread-id'] }),
    ...(aps?.badge === undefined ? {} : { badge: aps.badge }),
    ...(aps?.sound === undefined ? {} : { sound: aps.sound }),
    ...(aps?.['interruption-level'] === undefined ? {} : { interruption: aps['interruption-level'] }),
  };
}

function checkFcm(
  request: Request,
  { message }: Partial<FcmBody>,
  fault: ProviderAnswer | undefined,
): ProviderAnswer | undefined {
  if (!/^Bearer .+/.test(request.get('authorization') ?? '')) return named.fcm.UNAUTHENTICATED;
  if (fault) return fault;
  const recipients = [message?.token, message?.fid, message?.topic, message?.condition].filter((one) => one);
  if (!message || recipients.length !== 1)
    return invalid('Recipient of the message is not set.', 'message', 'INVALID_ARGUMENT');
  return checkData(message) ?? checkOptions(message);
}

function checkData({ data = {}, notification, topic }: FcmMessage): ProviderAnswer | undefined {
  if (Object.values(data).some((value) => typeof value !== 'string'))
    return invalid('Invalid value at message.data', 'message.data');
  const reserved = Object.keys(data).find((key) => reservedKey.test(key));
  if (reserved !== undefined)
    return invalid(`Invalid data payload key: ${reserved}`, 'message.data', 'INVALID_ARGUMENT');
  const bytes = Buffer.byteLength(JSON.stringify([data, notification ?? {}]));
  return bytes > (topic ? maxBytes.topic : maxBytes.device) ? named.fcm.INVALID_ARGUMENT : undefined;
}

function checkOptions({ android, apns }: FcmMessage): ProviderAnswer | undefined {
  const ttl = android?.ttl;
  if (ttl !== undefined && !(/^\d+(\.\d{1,9})?s$/.test(ttl) && Number.parseFloat(ttl) <= maxTtl))
    return invalid(`Invalid value at 'message.android.ttl', ${JSON.stringify(ttl)}`, 'message.android.ttl');
  const collapseId = apns?.headers?.['apns-collapse-id'] ?? '';
  if (Buffer.byteLength(collapseId) > maxCollapseId)
    return invalid('apns-collapse-id is too long', 'message.apns.headers', 'INVALID_ARGUMENT');
  return undefined;
}

const invalid = (message: string, field: string, errorCode?: string) =>
  fcmError(400, 'INVALID_ARGUMENT', message, errorCode, field);

/** Google's OAuth endpoint: a signed statement of a service account for a token. The signature is not looked at. */
function oauthToken({ body }: Request): ProviderAnswer {
  const { grant_type: grant, assertion = '' } = formOf(body);
  if (grant !== 'urn:ietf:params:oauth:grant-type:jwt-bearer')
    return {
      status: 400,
      body: { error: 'unsupported_grant_type', error_description: `Invalid grant_type: ${grant ?? ''}` },
    };
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(assertion))
    return { status: 400, body: { error: 'invalid_grant', error_description: 'Invalid JWT.' } };
  const token = `ya29.${randomBytes(16).toString('hex')}`;
  return { status: 200, body: { access_token: token, expires_in: 3_599, token_type: 'Bearer' } };
}
